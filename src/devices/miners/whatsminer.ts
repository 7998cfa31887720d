import { defineDevice, type Evidence, type Match, type Probe, read } from '../define.js'
import { isLiquid, whatsminerModel, whatsminerModels } from '../hardware/whatsminer.js'
import { type BtminerRequest, btminer, part, rpcPort, send } from '../kit/btminer.js'
import { messageOf, rowsOf, summaryOf } from '../kit/btminer-envelope.js'
import { bool, type Fields, fields, num, str } from '../kit/json.js'
import { mayBe } from '../kit/signs.js'
import { attempt } from '../kit/values.js'
import { type About, aboutDetails, aboutInfo, aboutVersion, macOf, versionText } from './whatsminer-about.js'
import { whatsminerCommands } from './whatsminer-commands.js'
import { boardsOf, errorsOf, fansOf, poolsOf, psuOf, summaryErrors } from './whatsminer-parts.js'
import { expectedThs, factoryThs, summaryRate, tuningNow, tuningOf } from './whatsminer-readings.js'
import { above, chipTemp, count, defined, rpm, temp } from './whatsminer-values.js'

/** What a person or the firmware changes, ms: a request of its own on each of these visits. */
const stateMs = 30_000
/** What hardly ever changes, ms. */
const identityMs = 600_000

const ask = <T>(cmd: string, parse: (reply: unknown) => T, everyMs = 0, lasting = false) =>
  read(btminer, { cmd } satisfies BtminerRequest, parse, { everyMs, optional: everyMs > 0, lasting })

/** Between the slow reads a visit is one connection with one joined request. The short-lived ones come first: a visit may run out of time. */
const reads = {
  summary: ask('summary', summaryOf),
  edevs: ask('edevs', rowsOf('edevs')),
  pools: ask('pools', rowsOf('pools')),
  details: ask('devdetails', (reply) => aboutDetails(rowsOf('devdetails')(reply)), identityMs, true),
  status: ask('status', messageOf('status'), stateMs),
  errors: read(btminer, { cmd: 'get_error_code', mayBeCut: true } as BtminerRequest, messageOf('get_error_code'), {
    everyMs: stateMs,
    optional: true,
  }),
  info: ask('get_miner_info', (reply) => aboutInfo(messageOf('get_miner_info')(reply)), identityMs),
  version: ask('get_version', (reply) => aboutVersion(messageOf('get_version')(reply)), identityMs, true),
  psu: ask('get_psu', (reply) => psuOf(messageOf('get_psu')(reply)), identityMs),
}

function asleep(status: Fields): boolean | undefined {
  return bool(status.mineroff ?? status.btmineroff)
}

/** Coolant on a liquid-cooled model, air on the others. */
function isLiquidCooled(summary: Fields, model: Parameters<typeof isLiquid>[0]): boolean {
  return isLiquid(model) || bool(summary['Liquid Cooling']) === true
}

function fastestFan(summary: Fields): number | undefined {
  const speeds = [rpm(summary['Fan Speed In']), rpm(summary['Fan Speed Out'])].filter((speed) => speed !== undefined)
  return speeds.length === 0 ? undefined : Math.max(...speeds)
}

function firmwareOf(summary: Fields): string | undefined {
  return versionText(summary['Firmware Version'])
}

/** Watts per TH/s as the firmware says it, while it hashes. */
function efficiency(summary: Fields): number | undefined {
  return summaryRate(summary, 'HS RT') ? above(summary['Power Rate']) : undefined
}

/** The rail behind the power supply: 10 mV on real devices, V on some. */
function railVoltage(summary: Fields): number | undefined {
  const voltage = above(summary.Voltage)
  return voltage !== undefined && voltage >= 100 ? voltage / 100 : voltage
}

const probe = (cmd: string, isMissing: (about: About) => boolean): Probe => ({
  name: `btminer ${cmd}`,
  port: rpcPort,
  when: (seen) => mayBe('whatsminer')(seen) && isMissing(aboutOf(seen)),
  run: (io) => send(io, { cmd }, io.signal),
})
/** Most firmwares join these, and say model and version with them; of the others each is asked for by itself. */
const joinedProbe = probe('devdetails+summary', () => true)
const versionProbe = probe('get_version', ({ firmware }) => firmware === undefined)
const detailsProbe = probe('devdetails', ({ name }) => name === undefined)

/** What it has said of itself so far; an answer that is none of this protocol says nothing. */
function aboutOf(seen: Evidence): About {
  const joined = fields(seen.answer(joinedProbe))
  return Object.assign(
    {},
    from(part(joined, 'summary'), (reply) => defined({ firmware: firmwareOf(summaryOf(reply)) })),
    from(seen.answer(versionProbe), (reply) => aboutVersion(messageOf('get_version')(reply))),
    from(seen.answer(detailsProbe), (reply) => aboutDetails(rowsOf('devdetails')(reply))),
    from(part(joined, 'devdetails'), (reply) => aboutDetails(rowsOf('devdetails')(reply))),
  )
}

function from(reply: unknown, about: (reply: unknown) => About): About {
  return reply === undefined ? {} : (attempt(() => about(reply)) ?? {})
}

/** A version in the vendor's form, or a model of the vendor's name: each says much, both say all. */
function match(seen: Evidence): Match | undefined {
  const { name, firmware } = aboutOf(seen)
  if (!name && !firmware) return undefined
  const why = [
    ...(firmware ? [`it names firmware ${firmware}`] : []),
    ...(name ? [`it names the model ${name.model} ${name.variant ?? ''}`.trim()] : []),
  ]
  return { confidence: name && firmware ? 0.95 : 0.8, why, model: name?.model, variant: name?.variant, firmware }
}

/** MicroBT Whatsminer, stock firmware with API v1 or v2 on TCP 4028. */
export const whatsminer = defineDevice({
  library: 'miner-whatsminer',
  kind: 'miner',
  make: 'MicroBT',
  family: 'stock',
  mainPort: rpcPort,
  models: whatsminerModels,
  modelOf: whatsminerModel,
  identify: { probes: [joinedProbe, versionProbe, detailsProbe], match },
  reads,
  telemetry: (from) => ({
    model: [
      from('details', (details) => details.name?.model),
      from('version', (version) => version.name?.model),
      from('info', (info) => info.name?.model),
    ],
    variant: [from('details', (details) => details.name?.variant), from('version', (version) => version.name?.variant)],
    firmwareVersion: [
      from('version', (version) => version.firmware),
      from('status', (status) => versionText(status.FirmwareVersion ?? status['Firmware Version'])),
      from('summary', firmwareOf),
    ],
    apiVersion: from('version', (version) => version.api),
    controlBoard: [
      from('version', (version) => version.platform),
      from('summary', (summary) => str(summary['CB Platform'])?.replace(/^ALLWINNER_/, '')),
    ],
    serial: from('info', (info) => info.serial),
    mac: [from('info', (info) => info.mac), from('summary', (summary) => macOf(summary.MAC))],
    hostname: from('info', (info) => info.hostname),
    network: from('info', (info) => info.network),
    led: from('info', (info) => info.led),
    psu: from('psu', (psu) => psu.about),

    hashrateThs: [
      from('summary', (summary) => summaryRate(summary, 'HS RT')),
      from('summary', (summary) => summaryRate(summary, 'MHS 1m')),
      from('summary', (summary) => summaryRate(summary, 'MHS av')),
    ],
    hashrate5sThs: from('summary', (summary) => summaryRate(summary, 'MHS 5s')),
    hashrate1mThs: from('summary', (summary) => summaryRate(summary, 'MHS 1m')),
    hashrate5mThs: from('summary', (summary) => summaryRate(summary, 'MHS 5m')),
    hashrate15mThs: from('summary', (summary) => summaryRate(summary, 'MHS 15m')),
    hashrateAvgThs: from('summary', (summary) => summaryRate(summary, 'MHS av')),
    nominalHashrateThs: from('summary', factoryThs),
    expectedHashrateThs: from('summary', (summary, _, { status }) => expectedThs(summary, status)),

    powerW: [from('summary', (summary) => count(summary.Power)), from('summary', (summary) => count(summary.Power_RT))],
    powerLimitW: [
      from('summary', (summary) => above(summary['Power Limit'])),
      from('status', (status) => above(status.power_limit_set)),
    ],
    efficiencyJTh: from('summary', efficiency),
    psuInputVoltageV: from('psu', (psu) => psu.voltageV),
    psuInputCurrentA: from('psu', (psu) => psu.currentA),
    psuInputPowerW: from('psu', (psu) => psu.powerW),
    psuOutputVoltageV: from('summary', railVoltage),
    psuTempC: from('psu', (psu) => psu.tempC),
    psuFanRpm: [from('summary', (summary) => rpm(summary['Power Fanspeed'])), from('psu', (psu) => psu.fanRpm)],

    ambientTempC: from('summary', (summary, model) =>
      isLiquidCooled(summary, model) ? undefined : temp(summary['Env Temp']),
    ),
    inletTempC: [
      from('summary', (summary, model) => (isLiquidCooled(summary, model) ? temp(summary['Env Temp']) : undefined)),
      from('status', (status) => chipTemp(status.liquid_temp)),
    ],
    chipTempMinC: from('summary', (summary) => chipTemp(summary['Chip Temp Min'])),
    chipTempMaxC: from('summary', (summary) => chipTemp(summary['Chip Temp Max'])),
    chipTempAvgC: from('summary', (summary) => chipTemp(summary['Chip Temp Avg'])),
    fanMaxRpm: from('summary', fastestFan),
    frequencyMhz: from('summary', (summary) => num(summary.freq_avg)),

    uptimeS: from('summary', (summary) => num(summary.Uptime)),
    miningUptimeS: from('summary', (summary) => num(summary.Elapsed)),
    acceptedShares: from('summary', (summary) => num(summary.Accepted)),
    rejectedShares: from('summary', (summary) => num(summary.Rejected)),
    staleShares: from('summary', (summary) => num(summary.Stale)),
    hwErrors: from('summary', (summary) => num(summary['Hardware Errors'])),
    hwErrorPct: from('summary', (summary) => num(summary['Device Hardware%'])),
    poolRejectPct: from('summary', (summary) => num(summary['Pool Rejected%'])),
    poolStalePct: from('summary', (summary) => num(summary['Pool Stale%'])),
    bestShare: from('summary', (summary) => num(summary['Best Share'])),

    boards: from('edevs', (devs, _, { status }) =>
      devs.length === 0 ? undefined : boardsOf(devs, status && asleep(status)),
    ),
    fans: from('summary', fansOf),
    pools: from('pools', poolsOf),
    errors: [from('errors', (errors) => errorsOf(errors.error_code)), from('summary', summaryErrors)],
    tuning: from('summary', (summary, _, { status, edevs }) => tuningOf(summary, status, edevs)),
    tuningNow: from('summary', (summary, _, { edevs }) => tuningNow(summary, edevs)),
    asleep: from('status', asleep),
  }),
  commands: whatsminerCommands,
  defaults: {
    intervalMs: 10_000,
    timeoutMs: 10_000,
    credentials: [{ username: 'admin', password: 'admin' }],
  },
})
