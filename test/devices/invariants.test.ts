import test from 'brittle'
import fc from 'fast-check'
import { type Device, devices, type Replies, type StoredReply } from '#devices'
import { commands, type Kind, metricsOf, SdkError, toSdkError } from '#model'
import { extract } from '../../src/devices/extract.js'
import { capture, flaw } from './fake-miner.js'
import { spoiled, strange } from './strange.js'

/** What each read of a definition was answered in the captures: several where there are several. */
type Answers = Readonly<Record<string, readonly string[]>>

const avalons: Answers = {
  summary: ['avalon/avalon_q_25052801/summary.json'],
  estats: ['avalon/a1246_21072802/stats.json', 'avalon/avalon_q_25052801/stats.json'],
  litestats: ['avalon/avalon_q_25052801/litestats.json'],
  pools: ['avalon/avalon_q_25052801/pools.json'],
  version: ['avalon/avalon_q_25052801/version.json'],
}

const bitaxes: Answers = { info: ['bitaxe/v2_0_0/system_info.json'] }

const rig = (name: string) => [`proto-rig/v1/${name}.json`]
const protos: Answers = {
  system: rig('system'),
  mining: rig('mining'),
  telemetry: rig('telemetry_full'),
  hardware: rig('hardware'),
  cooling: rig('cooling'),
  pools: rig('pools'),
  errors: rig('errors'),
  network: rig('network'),
}
const braiinsRest: Answers = Object.fromEntries(
  Object.entries({
    stats: 'miner_stats',
    boards: 'miner_hw_hashboards',
    cooling: 'cooling_state',
    details: 'miner_details',
    pools: 'pools',
    tuner: 'performance_tuner_state',
    configuration: 'configuration_miner',
    errors: 'miner_errors',
    network: 'network',
  }).map(([name, file]) => [name, ['v25_07', 'v26_04'].map((version) => `braiins/${version}/${file}.json`)]),
)
const braiinsGraph: Answers = Object.fromEntries(
  ['system', 'boards', 'pools', 'tuning'].map((name) => [
    name,
    ['v21_09', 'v25_03'].map((version) => `braiins/${version}/gql_${name}.json`),
  ]),
)

const powerplay = (name: string) => [`epic/v1/${name}.json`]
const epics: Answers = {
  summary: powerplay('summary'),
  temps: powerplay('temps'),
  capabilities: powerplay('capabilities'),
  network: powerplay('network'),
  chips: powerplay('chip_hashrates'),
  chipTemps: powerplay('chip_temps'),
}

const flux = (name: string) => [`auradine/flux_v1/${name}.json`]
const auradines: Answers = {
  summary: flux('summary'),
  devs: flux('devs'),
  pools: flux('pools'),
  count: flux('asccount'),
  version: flux('version'),
  psu: flux('psu'),
  mode: flux('mode'),
  temperatures: flux('temperature'),
  fans: flux('fan'),
  led: flux('led'),
  frequencies: flux('frequency'),
  report: flux('ipreport'),
}

const seal = (name: string) => [`sealminer/v2025/${name}.json`]
const seals: Answers = {
  stats: seal('stats'),
  summary: seal('summary'),
  pools: seal('pools'),
  version: seal('version'),
  info: seal('get_system_info'),
  psu: seal('miner_psu_status'),
}

const lux = (name: string) => [`luxos/v1/${name}.json`]
const luxes: Answers = Object.fromEntries(
  ['summary', 'config', 'devs', 'stats', 'temps', 'fans', 'power', 'pools', 'events', 'version', 'profiles'].map(
    (name) => [name, lux(name)],
  ),
)

const anthill = (name: string) => [`vnish/s21pro_1_2_7/${name}.json`]
const vnishes: Answers = {
  summary: anthill('web_summary'),
  info: anthill('web_info'),
  perf: anthill('web_perf-summary'),
  settings: anthill('web_settings'),
  presets: anthill('web_autotune_presets'),
  stats: anthill('rpc_stats'),
  rpcPools: anthill('rpc_pools'),
  rpcSummary: anthill('rpc_summary'),
}

/** Written after the reference: there are no captures. */
const maraFiles = ['brief', 'hashboards', 'fans', 'pools', 'overview', 'config', 'network']
const maras: Answers = Object.fromEntries(maraFiles.map((name) => [name, [`marathon/reference/${name}.json`]]))

const captured: readonly (readonly [library: string, family: string, answers: Answers])[] = [
  ['miner-auradine', 'stock', auradines],
  ['miner-avalon', 'stock', avalons],
  ['miner-bitaxe', 'axeos', bitaxes],
  ['miner-braiins', 'braiins-rest', braiinsRest],
  ['miner-braiins', 'braiins-graphql', braiinsGraph],
  ['miner-bitaxe', 'nerdqaxe', bitaxes],
  ['miner-epic', 'epic', epics],
  ['miner-epic', 'stock', epics],
  ['miner-luxos', 'luxos', luxes],
  ['miner-marathon', 'marathon', maras],
  ['miner-proto', 'stock', protos],
  ['miner-sealminer', 'stock', seals],
  ['miner-vnish', 'vnish', vnishes],
]

/**
 * The outcome of a read. What a parser of a miner throws must be one of our device errors; protocols of plants hand over values of their own
 * shape, so that what is strange there is a fault of ours, and only has to leave the reading sound.
 */
function stored(device: Device, name: string, reply: unknown): StoredReply {
  try {
    return { at: 0, value: device.reads[name]!.parse(reply) }
  } catch (error) {
    if (error instanceof SdkError && /^DEVICE_|^NOT_REPORTED/.test(error.code)) return { at: 0, error }
    if (device.kind === 'miner') throw error
    return { at: 0, error: toSdkError(error, 'DEVICE_BAD_REPLY') }
  }
}

for (const [library, family, answers] of captured) {
  const device = devices.find((each) => each.library === library && each.family === family)!

  test(`${library} ${family}: any value at any place of its replies is taken or refused, and makes no NaN`, (t) => {
    const replies = Object.entries(answers).map(([name, files]) => [name, files.map(capture)] as const)
    for (const [name] of replies) t.ok(device.reads[name], `there is a read ${name}`)
    const change = fc.record({
      which: fc.nat(),
      file: fc.nat(),
      steps: fc.array(fc.nat(), { minLength: 1, maxLength: 7 }),
      value: strange,
    })
    fc.assert(
      fc.property(change, ({ which, file, steps, value }) => {
        const seen: Record<string, StoredReply> = {}
        for (const [at, [name, files]] of replies.entries()) {
          const reply = files[file % files.length]
          seen[name] = stored(device, name, at === which % replies.length ? spoiled(reply, steps, value) : reply)
        }
        const { telemetry } = extract(device, seen as Replies)
        return flaw(telemetry) === undefined
      }),
      { numRuns: 400 },
    )
  })
}

for (const device of devices)
  test(`${device.library} ${device.family}: any reply at all is taken or refused`, (t) => {
    fc.assert(
      fc.property(strange, (reply) => {
        const seen = Object.fromEntries(Object.keys(device.reads).map((name) => [name, stored(device, name, reply)]))
        return flaw(extract(device, seen).telemetry) === undefined
      }),
      { numRuns: 150 },
    )
    t.pass()
  })

/** What every device of a kind has to tell, as far as its definition fixes it. */
const needed: Readonly<Record<Kind, readonly string[]>> = {
  miner: ['model', 'hashrateThs', 'pools', 'boards', 'firmwareVersion'],
  container: ['model', 'running', 'errors'],
  powermeter: ['powerW', 'energyImportKwh'],
  sensor: ['readings', 'errors'],
  pool: [],
}

test('every definition is whole', (t) => {
  const names = devices.map(({ library, family }) => `${library} ${family}`)
  t.is(new Set(names).size, names.length, 'no two have one name')
  for (const device of devices) {
    const name = `${device.library} ${device.family}`
    t.ok(/^[a-z]+-[a-z0-9]+$/.test(device.library), name)
    t.ok(device.defaults.timeoutMs > 0 && device.defaults.intervalMs > 0, name)
    t.ok(device.identify.probes.length > 0, `${name} can be told`)
    for (const command of device.capabilities) t.ok(Object.hasOwn(commands, command), `${name}: ${command}`)
    const fields = device.telemetry.map(([field]) => field)
    t.is(new Set(fields).size, fields.length, `${name} reads each field once`)
    const metrics = new Set<string>(metricsOf(device.kind))
    t.ok(
      fields.some((field) => metrics.has(field)),
      `${name} measures something of its kind`,
    )
    for (const field of needed[device.kind]) t.ok(fields.includes(field as never), `${name} reads ${field}`)
    for (const note of device.notes ?? []) t.ok(/^[A-Z`].*\.$/.test(note), `${name}: a note is a sentence: ${note}`)
    for (const [read, { insteadOf, everyMs }] of Object.entries(device.reads))
      t.ok(everyMs >= 0 && insteadOf.every((other) => other !== read && device.reads[other]), `${name}: ${read}`)
    for (const [model, row] of Object.entries(device.models)) {
      t.ok(device.modelOf(model), `${name}: ${model} is found under its own name`)
      for (const fact of [row.boards, row.chips, row.fans])
        t.ok(fact === undefined || (Number.isInteger(fact) && fact >= 0), `${name}: ${model}`)
    }
  }
})
