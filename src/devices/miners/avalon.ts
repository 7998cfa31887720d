import type { Model } from '../define.js'
import { defineDevice, type Evidence, type Match, read } from '../define.js'
import { avalonFacts, avalonModel, avalons } from '../hardware/avalon.js'
import { numberOf, numbersOf } from '../kit/avalon.js'
import { cgminer, type RpcRequest, rpcPort, rpcVersion } from '../kit/cgminer.js'
import { parsePools } from '../kit/cgminer-pools.js'
import { type Fields, num } from '../kit/json.js'
import { daemonSign, rpcStats } from '../kit/signs.js'
import { attempt, defined, highest, macOf, positive, temperature } from '../kit/values.js'
import { boardsOf, fansOf } from './avalon-boards.js'
import { avalonCommands } from './avalon-commands.js'
import { errorsOf } from './avalon-errors.js'
import {
  isSoftOff,
  isWorking,
  labelThs,
  parseStats,
  parseVersion,
  powerOf,
  rateOf,
  type Stats,
  serialOf,
  summaryOf,
  supplyOf,
  thsOf,
  versionOf,
} from './avalon-stats.js'

const halfMinute = 30_000
const tenMinutes = 600_000

const ask = <T>(command: string, parse: (reply: unknown) => T, options: Parameters<typeof read>[3] = {}) =>
  read(cgminer, { command } satisfies RpcRequest, parse, options)

/** On some Avalon Q the first two have an empty string, on others one of them is not known: the first that tells is enough. */
const reads = {
  summary: ask('summary', summaryOf),
  estats: ask('estats', parseStats, { optional: true }),
  stats: ask('stats', parseStats, { optional: true, insteadOf: ['estats'] }),
  litestats: ask('litestats', parseStats, { optional: true, insteadOf: ['estats'] }),
  pools: ask('pools', parsePools, { everyMs: halfMinute }),
  version: ask('version', parseVersion, { everyMs: tenMinutes, lasting: true }),
}

function match(seen: Evidence): Match | undefined {
  if (daemonSign(seen) !== undefined && !['avalon', 'other'].includes(daemonSign(seen)!)) return undefined
  const about = attempt(() => parseVersion(seen.answer(rpcVersion)))
  const stats = attempt(() => parseStats(seen.answer(rpcStats)))
  const own = versionOf(stats?.own.get('Ver'))
  const isNamed = daemonSign(seen) === 'avalon'
  if (!isNamed && !stats) return undefined
  const why = [
    ...(isNamed ? ['its version names an Avalon'] : []),
    ...(stats ? [`its stats are those of an Avalon: ${stats.own.get('Ver')?.slice(0, 40)}`] : []),
  ]
  return {
    confidence: isNamed ? 1 : 0.95,
    why,
    model: own.model ?? about?.model,
    variant: own.variant ?? about?.variant,
    firmware: own.firmware ?? about?.firmware,
    mac: macOf(about?.mac),
  }
}

/** The mode by its number; models for the home show it as a level. */
function modeOf({ own }: Stats, model: Model) {
  const { modes, modeBy } = avalonFacts(model)
  const number = numberOf(own.get(modeBy.toUpperCase())) ?? numberOf(own.get('WORKMODE'))
  return number === undefined ? undefined : modes[number]
}

function tuningOf(stats: Stats, model: Model) {
  const tuning = defined({ mode: modeOf(stats, model), targetW: positive(numberOf(stats.own.get('MPO'))) })
  return Object.keys(tuning).length > 0 ? tuning : undefined
}

/** The present rate; the means of a miner that stands still are no rate. */
function statsRate(stats: Stats): number | undefined {
  if (isWorking(stats) === false) return 0
  return thsOf(stats.own.get('GHSspd')) ?? thsOf(stats.own.get('GHSavg'))
}

/** Canaan Avalon, A7 to A15, Q, Nano and Mini: cgminer with bracket strings on TCP 4028 (protocols/avalon.md). */
export const avalon = defineDevice({
  library: 'miner-avalon',
  kind: 'miner',
  make: 'Canaan',
  family: 'stock',
  mainPort: rpcPort,
  models: avalons,
  modelOf: avalonModel,
  identify: { probes: [rpcVersion, rpcStats], match },
  reads,
  telemetry(from) {
    /** The same value of whichever reply brought the bracket string. */
    const stats = <V>(take: (stats: Stats, model: Model) => V) => [
      from('estats', take),
      from('stats', take),
      from('litestats', take),
    ]
    const field = (key: string) => stats((s) => numberOf(s.own.get(key)))
    const hottest = (key: string) => stats((s) => highest(numbersOf(s.own.get(key)).map(temperature)))
    const rate = (...keys: string[]) => from('summary', (summary) => rateOf(summary, ...keys))
    const total = (key: string) => from('summary', (summary: Fields) => num(summary[key]))
    return {
      model: [...stats((s) => versionOf(s.own.get('Ver')).model), from('version', (v) => v.model)],
      variant: [...stats((s) => versionOf(s.own.get('Ver')).variant), from('version', (v) => v.variant)],
      firmwareVersion: [...stats((s) => versionOf(s.own.get('Ver')).firmware), from('version', (v) => v.firmware)],
      apiVersion: from('version', (v) => v.api),
      controlBoard: from('version', (v) => v.controlBoard),
      serial: [...stats((s) => serialOf(s.own.get('DNA'))), from('version', (v) => v.serial)],
      mac: from('version', (v) => macOf(v.mac)),
      led: stats((s) => (s.own.has('Led') ? (numberOf(s.own.get('Led')) ? 'on' : 'off') : undefined)),

      hashrateThs: [rate('MHS 5s', 'MHS 30s', 'MHS 1m'), ...stats(statsRate)],
      hashrate5sThs: rate('MHS 5s'),
      hashrate30sThs: rate('MHS 30s'),
      hashrate1mThs: rate('MHS 1m'),
      hashrate5mThs: rate('MHS 5m'),
      hashrate15mThs: rate('MHS 15m'),
      hashrate1hThs: stats((s) => thsOf(s.own.get('GHSavg'))),
      hashrateAvgThs: [rate('MHS av'), ...stats((s) => thsOf(s.own.get('GHSavg')))],
      expectedHashrateThs: stats((s) => positive(thsOf(s.own.get('GHSmm')))),
      nominalHashrateThs: [
        ...stats((s) => labelThs(versionOf(s.own.get('Ver')).variant)),
        from('version', (v) => labelThs(v.variant)),
      ],

      powerW: stats(powerOf),
      dcPowerW: stats((s) => supplyOf(s)?.dcW),
      powerLimitW: stats((s) => positive(numberOf(s.own.get('MPO')))),
      psuOutputVoltageV: stats((s) => supplyOf(s)?.busV),
      ambientTempC: [...hottest('ITemp'), ...hottest('Temp')],
      inletTempC: hottest('HBITemp'),
      outletTempC: hottest('HBOTemp'),
      chipTempMaxC: hottest('TMax'),
      chipTempAvgC: hottest('TAvg'),
      boards: stats(boardsOf),
      fans: stats(fansOf),
      fanDutyPct: field('FanR'),
      frequencyMhz: field('Freq'),

      miningUptimeS: [...stats((s) => s.elapsedS), total('Elapsed')],
      acceptedShares: total('Accepted'),
      rejectedShares: total('Rejected'),
      staleShares: total('Stale'),
      hwErrors: [...field('HW'), total('Hardware Errors')],
      hwErrorPct: [...field('DH'), total('Device Hardware%')],
      poolRejectPct: total('Pool Rejected%'),
      poolStalePct: total('Pool Stale%'),
      bestShare: total('Best Share'),
      pools: from('pools', (pools) => (pools.length > 0 ? pools : undefined)),

      tuning: stats(tuningOf),
      asleep: stats(isSoftOff),
      errors: stats((s, model) => errorsOf(s, model)),
    }
  },
  commands: avalonCommands,
  defaults: { intervalMs: 30_000, timeoutMs: 12_000, credentials: [{ username: 'root', password: 'root' }] },
})
