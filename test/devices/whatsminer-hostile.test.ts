import test, { type Assertions } from 'brittle'
import fc from 'fast-check'
import { type Device, miners, type Observation, observe } from '#devices'
import {
  type Board,
  BoardSchema,
  DeviceErrorSchema,
  FanSchema,
  isErrorCode,
  isMetric,
  matches,
  measured,
  PoolSchema,
  SdkError,
} from '#model'
import { whatsminerError } from '../../src/devices/miners/whatsminer-errors.js'
import { BtminerDevice, fixture, frame, ioTo, V3Device } from './whatsminer-device.js'

const whatsminer = miners.find(({ make, family }) => make === 'MicroBT' && family === 'stock') as Device
const whatsminerV3 = miners.find(({ make, family }) => make === 'MicroBT' && family === 'stock-v3') as Device

const m60s = 'whatsminer-v2/m60s_vk40_fleet'
const names = [
  'summary',
  'edevs',
  'pools',
  'devdetails',
  'status',
  'get_error_code',
  'get_miner_info',
  'get_version',
  'get_psu',
] as const
const captured: Record<string, unknown> = Object.fromEntries(
  names.map((name) => [name, fixture(m60s, `rpc_${name}.json`)]),
)
const v3Info = fixture('whatsminer-v3/m30spp_vh70_apidoc', 'get_device_info.json')
const v3Status = fixture('whatsminer-v3/m30spp_vh70_apidoc', 'get_miner_status_summary.json')

/** Whatever came in: only finite numbers in their range, and lists in the shape of the model. */
function isSound({ telemetry }: Observation): boolean {
  return Object.entries(telemetry).every(([field, value]) => {
    if (value === undefined) return true
    if (isMetric(field)) return typeof value === 'number' && measured(field, value) === value
    if (typeof value === 'number') return Number.isFinite(value)
    if (field === 'boards')
      return (value as Board[]).every(
        (board) =>
          matches(BoardSchema, board) &&
          measured('hashrateThs', board.hashrateThs) === (board.hashrateThs ?? undefined),
      )
    if (field === 'fans') return (value as unknown[]).every((fan) => matches(FanSchema, fan))
    if (field === 'pools') return (value as unknown[]).every((pool) => matches(PoolSchema, pool))
    if (field === 'errors') return (value as unknown[]).every((error) => matches(DeviceErrorSchema, error))
    return true
  })
}

async function isSoundOrFails(visit: Promise<Observation>): Promise<boolean> {
  try {
    return isSound(await visit)
  } catch (error) {
    return error instanceof SdkError && isErrorCode(error.code) && error.code !== 'INTERNAL'
  }
}

/** The value with some of its leaves replaced by anything. */
function mangled(value: unknown, replace: (path: number) => unknown | undefined): unknown {
  let leaf = 0
  const walk = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map(walk)
    if (inner !== null && typeof inner === 'object')
      return Object.fromEntries(Object.entries(inner).map(([key, each]) => [key, walk(each)]))
    const other = replace(leaf++)
    return other === undefined ? inner : other
  }
  return walk(value)
}

const anything = fc.oneof(
  fc.constantFrom(
    null,
    '',
    'nan',
    'inf',
    -1,
    255,
    65535,
    -273,
    1e300,
    -1e300,
    '12abc',
    true,
    [],
    {},
    [null],
    '9'.repeat(400),
    1.8e306,
  ),
  fc.double(),
  fc.string(),
  fc.object({ maxDepth: 2 }),
)
const replacements = fc.array(fc.tuple(fc.nat(60), anything), { maxLength: 12 })
const byLeaf = (changes: readonly (readonly [number, unknown])[]) => {
  const map = new Map(changes)
  return (leaf: number) => map.get(leaf)
}

test('wrong types and values anywhere in the replies never give a false reading', async (t) => {
  const device = await new BtminerDevice({}).start(t)
  await fc.assert(
    fc.asyncProperty(fc.record(Object.fromEntries(names.map((name) => [name, replacements]))), async (changes) => {
      for (const name of names) device.replies[name] = mangled(captured[name], byLeaf(changes[name]!))
      return isSoundOrFails(observe(whatsminer, ioTo({ rpc: device.port }, [])))
    }),
    { numRuns: 60 },
  )
  t.pass()
})

test('replies cut anywhere, reordered or mixed up end with a reading or a code', async (t) => {
  const device = await new BtminerDevice({}, { joins: false }).start(t)
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([...names]),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (order, cut) => {
        for (const [index, name] of names.entries()) {
          const text = JSON.stringify(captured[order[index] ?? name])
          device.replies[name] = () => (index % 2 ? text : text.slice(0, Math.ceil(text.length * cut)))
        }
        return isSoundOrFails(observe(whatsminer, ioTo({ rpc: device.port }, [])))
      },
    ),
    { numRuns: 40 },
  )
  t.pass()
})

test('a cut joined reply makes no board missing', async (t) => {
  const device = await new BtminerDevice({}).start(t)
  const joined = JSON.stringify({
    summary: [captured.summary],
    edevs: [captured.edevs],
    pools: [captured.pools],
    id: 1,
  })
  for (const share of [0.2, 0.5, 0.7, 0.9, 0.99]) {
    const text = joined.slice(0, Math.floor(joined.length * share))
    device.replies.anything = text
    const visit = observe(whatsminer, ioTo({ rpc: device.port }, []))
    const seen = await visit.catch((error: SdkError) => error.code)
    t.is(seen, 'DEVICE_TIMEOUT')
  }
})

const garbage = fc.oneof(
  fc.string().map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map((text) => Buffer.from(text)),
)

test('garbage ends with a code within the deadline, over both protocols', async (t) => {
  const old = await new BtminerDevice({}).start(t)
  const device = await new V3Device({}).start(t)
  await fc.assert(
    fc.asyncProperty(garbage, fc.boolean(), async (bytes, framed) => {
      for (const name of names) old.replies[name] = () => bytes.toString('latin1')
      for (const cmd of ['get.device.info', 'get.miner.status', 'get.miner.setting'])
        device.replies[cmd] = () => (framed ? frame(bytes.toString('latin1')) : bytes)
      const started = performance.now()
      const options = { timeoutMs: 400 }
      const sound = await Promise.all([
        isSoundOrFails(observe(whatsminer, ioTo({ rpc: old.port }, []), options)),
        isSoundOrFails(observe(whatsminerV3, ioTo({ v3: device.port }, []), options)),
      ])
      return sound.every(Boolean) && performance.now() - started < 10_000
    }),
    { numRuns: 25 },
  )
  t.pass()
})

async function v3(t: Assertions) {
  return new V3Device({}).start(t)
}

test('v3: wrong types and values anywhere never give a false reading', async (t) => {
  const device = await v3(t)
  const pools = [{ url: 'stratum+tcp://a:1', account: 'w', status: 'alive', 'stratum-active': true, 'reject-rate': 0 }]
  const edevs = [0, 1, 2].map((slot) => ({ slot, 'hash-average': 33, freq: 700, 'effective-chips': 70 }))
  const status = { ...(v3Status as object), msg: { ...(v3Status as { msg: object }).msg, pools, edevs } }
  await fc.assert(
    fc.asyncProperty(replacements, replacements, async (inInfo, inStatus) => {
      device.replies['get.device.info'] = mangled(v3Info, byLeaf(inInfo))
      device.replies['get.miner.status'] = mangled(status, byLeaf(inStatus))
      return isSoundOrFails(observe(whatsminerV3, ioTo({ v3: device.port }, [])))
    }),
    { numRuns: 60 },
  )
  t.pass()
})

test('v3: impossible lengths are refused at once', async (t) => {
  const device = await v3(t)
  const huge = Buffer.alloc(8)
  huge.writeUInt32LE(0xffff_ffff)
  device.replies['get.miner.status'] = () => huge
  const visit = observe(whatsminerV3, ioTo({ v3: device.port }, []))
  t.is(await visit.catch((error: SdkError) => error.code), 'DEVICE_BAD_REPLY')
  device.replies['get.miner.status'] = () => Buffer.alloc(4 * 1000)
  const empty = observe(whatsminerV3, ioTo({ v3: device.port }, []))
  t.is(await empty.catch((error: SdkError) => error.code), 'DEVICE_BAD_REPLY', 'heartbeats without end are no answer')
})

test('any vendor code is reported, known ones in words', (t) => {
  fc.assert(
    fc.property(fc.nat(999_999), (code) => {
      const error = whatsminerError(String(code))
      return (
        matches(DeviceErrorSchema, error) &&
        error.vendorCode === String(code) &&
        !/[{}]|undefined|NaN/.test(JSON.stringify(error).slice(1, -1))
      )
    }),
    { numRuns: 2000 },
  )
  t.alike(
    ['531', '520123', '5215', '351', '8512'].map((code) => [whatsminerError(code).code, whatsminerError(code).index]),
    [
      ['board-missing', 1],
      ['chip-errors', 0],
      ['chip-errors', 1],
      ['over-temperature', 1],
      ['board-substandard', 1],
    ],
  )
  t.is(whatsminerError('777777').code, 'vendor-error')
})
