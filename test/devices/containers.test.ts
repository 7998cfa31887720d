import test from 'brittle'
import { type Device, devices, execute, type Io, identify, observe } from '#devices'
import { type CommandName, statusOf } from '#model'
import { AntspaceContainer, MicrobtContainer } from '#sim'
import { type Closing, ioOf } from './plant.js'

const ofLibrary = (library: string) => devices.filter((device) => device.library === library)

interface Bench {
  readonly device: Device
  readonly io: Io
}

async function recognised(library: string, io: Io): Promise<Device> {
  const { device, seen } = await identify(ofLibrary(library), io)
  if (!device) throw new Error(seen.join('\n'))
  return device
}

const state = async ({ device, io }: Bench, name: CommandName, params: unknown) =>
  (await execute(device, io, name, params)).state

async function microbt(t: Closing, variant: 'kehua' | 'wonderint', options: { pdus?: number } = {}) {
  const container = new MicrobtContainer({ variant, ...options })
  await container.gateway.listen()
  t.teardown(() => container.gateway.close())
  const port = { name: 'modbus', number: container.gateway.listener.port }
  const credentials = [{ username: 'admin', password: 'admin' }]
  const io = ioOf(t, port, { library: 'container-microbt', credentials })
  return { container, io, device: await recognised('container-microbt', io) }
}

test('MicroBT: both makers of the cooling are told apart and scaled right; all units in one picture', async (t) => {
  for (const variant of ['wonderint', 'kehua'] as const) {
    const { device, io, container } = await microbt(t, variant)
    t.is(device.family, variant)
    const { telemetry, missing } = await observe(device, io)
    t.alike(missing, {})
    t.is(telemetry.ambientTempC, 26.5)
    t.is(telemetry.humidityPct, 41)
    t.is(telemetry.running, true)
    t.is(telemetry.powerW, container.powerW)
    t.is(telemetry.pdus?.length, 12)
    t.is(telemetry.pdus?.[3]?.sockets.length, 20)
    t.is(telemetry.supplyPressureKpa, 210)
    t.ok(telemetry.returnTempC! > telemetry.supplyTempC!)
    t.alike(telemetry.errors ?? [], [])
  }
})

test('MicroBT: every command is read back, after signing in; a wrong password is said to be one', async (t) => {
  const bench = await microbt(t, 'wonderint', { pdus: 2 })
  t.is(await state(bench, 'setCoolingLimits', { fanSpeedPct: 80, fanStartC: 36, fanStopC: 31 }), 'confirmed')
  t.alike(bench.container.limits, { fanSpeedPct: 80, fanStartC: 36, fanStopC: 31 })
  t.is(
    await state(bench, 'switchSocket', {
      sockets: [
        { pdu: '2', on: false },
        { pdu: '1', socket: '7', on: false },
      ],
    }),
    'confirmed',
  )
  t.is(bench.container.sockets.flat().filter(Boolean).length, 19)
  t.is(await state(bench, 'switchCooling', { on: false }), 'confirmed')
  t.is(bench.container.on, false)
  t.is(await state(bench, 'switchContainer', { on: true }), 'confirmed')
  const stranger = { ...bench.io, credentials: [{ username: 'admin', password: 'guess' }] }
  await t.exception(execute(bench.device, stranger, 'switchCooling', { on: false }), { code: 'DEVICE_AUTH' })
  await t.exception(execute(bench.device, { ...bench.io, credentials: [] }, 'switchCooling', { on: false }), {
    code: 'DEVICE_AUTH',
  })
  t.is(bench.container.on, true)
})

test('MicroBT: limits are checked before anything is sent', async (t) => {
  const bench = await microbt(t, 'kehua', { pdus: 1 })
  for (const [name, params, code] of [
    ['switchSocket', { sockets: [{ pdu: '13', on: true }] }, 'BAD_REQUEST'],
    ['switchSocket', { sockets: [{ pdu: '1', socket: '21', on: true }] }, 'BAD_REQUEST'],
    ['switchSocket', { sockets: [{ pdu: '5', on: true }] }, 'DEVICE_UNREACHABLE'],
    ['setCoolingLimits', { coolOilSetC: 30 }, 'DEVICE_UNSUPPORTED'],
    ['setCoolingLimits', { fanStartC: 30, fanStopC: 35 }, 'BAD_REQUEST'],
    ['setLiquidTemp', { tempC: 30 }, 'DEVICE_UNSUPPORTED'],
  ] as const)
    await t.exception(execute(bench.device, bench.io, name, params), { code }, `${name} ${JSON.stringify(params)}`)
  t.ok(bench.container.gateway.asked.every(({ fn }) => fn === 3))
})

test('MicroBT: alarms name the part, its cause and what to do; a PDU that is away is no failure of the others', async (t) => {
  const { device, io, container } = await microbt(t, 'wonderint', { pdus: 3 })
  await container.gateway.faults.set({ kind: 'leak' })
  await container.gateway.faults.set({ kind: 'pumpFailed' })
  await container.gateway.faults.set({ kind: 'unitGone', unit: 10 })
  const { telemetry } = await observe(device, io)
  t.alike([...new Set(telemetry.errors?.map(({ code }) => code))].sort(), ['circulating-pump', 'leakage'])
  t.ok(telemetry.errors?.every(({ action }) => action))
  t.alike(
    telemetry.pdus?.slice(0, 3).map(({ online }) => online),
    [true, false, true],
  )
  t.is(
    statusOf('container', {
      failures: 0,
      never: false,
      metrics: telemetry,
      errors: telemetry.errors!,
      running: telemetry.running,
    }),
    'error',
  )
})

test('MicroBT: what refuses is failed, what ignores is only accepted', async (t) => {
  const bench = await microbt(t, 'wonderint', { pdus: 1 })
  const short: Device = {
    ...bench.device,
    commands: { switchSocket: { ...bench.device.commands.switchSocket!, settleMs: 300 } },
  }
  const wish = { sockets: [{ pdu: '1', on: false }] }
  await bench.container.gateway.faults.set({ kind: 'refusedWrite' })
  await t.exception(execute(short, bench.io, 'switchSocket', wish), { code: 'DEVICE_REFUSED' })
  await bench.container.gateway.faults.clear()
  await bench.container.gateway.faults.set({ kind: 'ignoredWrite' })
  const receipt = await execute(short, bench.io, 'switchSocket', wish)
  t.is(receipt.state, 'accepted')
  t.ok(receipt.reason?.includes('does not show'))
})

async function antspace(t: Closing, family: 'hydro' | 'immersion') {
  const container = await new AntspaceContainer({ family }).listen()
  t.teardown(() => container.close())
  const io = ioOf(t, { name: 'http', number: container.listener.port }, { library: 'container-antspace', options: {} })
  const { gapMs: _, ...options } = io.options as { gapMs: number }
  const bench = { ...io, options }
  return { container, io: bench, device: await recognised('container-antspace', bench) }
}

test('ANTSPACE hydro and immersion are told apart and read in our units', async (t) => {
  const hydro = await antspace(t, 'hydro')
  const { telemetry: h } = await observe(hydro.device, hydro.io)
  t.is(hydro.device.family, 'hydro')
  t.is(h.flowLpm, 483.333)
  t.is(h.supplyPressureKpa, 350)
  t.is(h.powerW, 1_113_000)
  t.is(h.setpointTempC, 30)
  t.is(h.hashrateThs, 53_550)
  t.is(h.running, true)
  const immersion = await antspace(t, 'immersion')
  const { telemetry: i } = await observe(immersion.device, immersion.io)
  t.is(immersion.device.family, 'immersion')
  t.is(i.voltageL1V, 223.3)
  t.is(i.powerW, 1_110_000)
  t.is(i.cooling?.tanks?.length, 4)
  t.alike(i.errors ?? [], [], 'a pump at work is no fault')
  const { telemetry: scaled } = await observe(hydro.device, {
    ...hydro.io,
    options: { powerScaleW: 1, pressureScaleKpa: 100 },
  })
  t.alike([scaled.powerW, scaled.supplyPressureKpa], [1113, 3500])
})

test('ANTSPACE: every command is read back; an alarm stays until it is reset', async (t) => {
  const bench = await antspace(t, 'hydro')
  t.is(await state(bench, 'setLiquidTemp', { tempC: 33 }), 'confirmed')
  t.is(await state(bench, 'setLiquidTemp', { auto: true }), 'confirmed')
  t.is(await state(bench, 'switchCooling', { on: false }), 'confirmed')
  t.is(bench.container.on, false)
  t.is(await state(bench, 'switchContainer', { on: true }), 'confirmed')
  await t.exception(execute(bench.device, bench.io, 'setLiquidTemp', { tempC: 5 }), { code: 'BAD_REQUEST' })
  await bench.container.faults.set({ kind: 'leak' })
  const { telemetry } = await observe(bench.device, bench.io)
  t.alike(
    telemetry.errors?.map(({ code, severity }) => [code, severity]),
    [['leakage', 'critical']],
  )
  await bench.container.faults.clear()
  t.is(await state(bench, 'resetAlarms', {}), 'confirmed')
})

test('ANTSPACE: broken answers, refusals and silence each have their reason', async (t) => {
  const { container, io, device } = await antspace(t, 'hydro')
  await container.faults.set({ kind: 'garbage' })
  await t.exception(observe(device, io), { code: 'DEVICE_REFUSED' })
  await container.faults.clear()
  await container.faults.set({ kind: 'half' })
  await t.exception(observe(device, io), { code: 'DEVICE_TIMEOUT' })
  await container.faults.clear()
  await container.faults.set({ kind: 'refusedWrite' })
  await t.exception(execute(device, io, 'switchCooling', { on: false }), /ERR_LOCKED/)
  await container.faults.clear()
  await container.faults.set({ kind: 'dead' })
  await t.exception(observe(device, io), { code: 'DEVICE_UNREACHABLE' })
})
