import type { Pool } from '#model'
import { defineDevice, type Evidence, type Match, type Preset, type Probe, read } from '../define.js'
import { antminerModel, antminers, antminerTitle, withChipCounts } from '../hardware/antminer.js'
import { cgminer, rpcVersion } from '../kit/cgminer.js'
import { parsePools } from '../kit/cgminer-pools.js'
import { http, webPort } from '../kit/http.js'
import { bool, type Fields, fields, num, str } from '../kit/json.js'
import { jsonOf, type RestRequest } from '../kit/rest.js'
import { daemonSign, isSaid, pageSign, rpcStats, statsSign, webPage } from '../kit/signs.js'
import { attempt, count, defined, object, positive, temperature, words } from '../kit/values.js'
import { vnishLogin, vnishPath, vnishRest } from '../kit/vnish.js'
import { vnishCommands } from './vnish-commands.js'
import { chainFault, stateErrors, vnishErrors } from './vnish-errors.js'
import {
  boardsOf,
  fansOf,
  isAsleep,
  isIdle,
  parseChips,
  parseFactory,
  parseInfo,
  parseSummary,
  poolsOf,
  psuTempC,
  rateOf,
  type State,
  stateOf,
} from './vnish-replies.js'
import {
  parseRpcStats,
  type RpcStats,
  rpcBoards,
  rpcFans,
  rpcFaults,
  rpcPower,
  rpcRate,
  rpcState,
  rpcSummaryOf,
} from './vnish-rpc.js'
import { fanSettingOf, limitsOf, parsePerf, parsePresets, parseSettings, variantOf } from './vnish-setup.js'

const halfMinute = 30_000
const minute = 60_000
const fiveMinutes = 300_000
const tenMinutes = 600_000

type Options = NonNullable<Parameters<typeof read>[3]>
const get = <T>(path: string, parse: (reply: unknown) => T, options: Options = {}) =>
  read(vnishRest.protocol, { path: vnishPath(path) } satisfies RestRequest, parse, options)
const rpc = <T>(command: string, parse: (reply: unknown) => T, options: Options = {}) =>
  read(cgminer, { command }, parse, options)

/** Its stats name it where its `version` does not, as from 1.2.7 on. */
const isVnishRpc = (seen: Evidence) => daemonSign(seen) === 'vnish' || statsSign(seen) === 'vnish'

/** What everybody may ask. */
const vnishInfo: Probe = {
  name: 'vnish info',
  port: webPort,
  when: (seen) => pageSign(seen) === 'vnish',
  async run(io) {
    const response = await http(io, webPort, { path: vnishPath('info') })
    return response.status === 200 ? jsonOf(response) : response.status
  },
}

function match(seen: Evidence): Match | undefined {
  const page = pageSign(seen)
  const byRpc = isVnishRpc(seen)
  if (!isSaid(seen, 'vnish')) return undefined
  const info = attempt(() => parseInfo(seen.answer(vnishInfo)))
  const stats = attempt(() => parseRpcStats(seen.answer(rpcStats)))
  const version = attempt(() => namedBy(seen.answer(rpcVersion)))
  const model = info?.model ?? stats?.model ?? version?.model
  const firmware = info?.firmware ?? stats?.firmware ?? version?.firmware
  return {
    // A page alone is not sure enough to ask nobody else.
    confidence: info === undefined && !byRpc ? 0.8 : model === undefined ? 0.95 : 1,
    model,
    firmware,
    mac: info?.mac,
    why: [
      ...(page === 'vnish' ? ['its page is AnthillOS'] : []),
      ...(byRpc ? ['its RPC names VNish'] : []),
      ...(model ? [`it runs VNish ${firmware ?? ''} on an Antminer ${model}`] : []),
    ],
  }
}

/** Old builds say it in their `version`: `Antminer S19 XP (Vnish 1.2.0-rc1)`. */
function namedBy(reply: unknown) {
  const list = fields(reply).VERSION
  const type = str(fields(Array.isArray(list) ? list[0] : undefined).Type) ?? ''
  const [, name, firmware] = /^(.*?)\s*\(\s*vnish\s*([^)]*)\)/i.exec(type.slice(0, 100)) ?? []
  return { model: antminerTitle(name), firmware: words(firmware, 64) }
}

interface Others {
  readonly summary?: Fields
  readonly status?: Fields
  readonly settings?: Fields
  readonly presets?: readonly Preset[]
  readonly rpcPools?: readonly Pool[]
  readonly stats?: RpcStats
}

const stateNow = (all: Others): State | undefined => stateOf(all.summary) ?? stateOf(all.status)

/** Antminers with VNish (protocols/vnish.md): its REST interface, and its read-only RPC, which alone has some clocks and stands in for it. */
export const vnishDevice = defineDevice({
  library: 'miner-vnish',
  kind: 'miner',
  make: 'Bitmain',
  family: 'vnish',
  mainPort: webPort,
  models: antminers,
  modelOf: (name, variant) => antminerModel(variant === 'immersion' ? `${name} Imm` : name),
  identify: { probes: [webPage, rpcVersion, rpcStats, vnishInfo], match },
  reads: {
    summary: get('summary', parseSummary),
    status: get('status', (reply) => object(reply, 'the status'), { optional: true }),
    info: get('info', parseInfo, { everyMs: minute, lasting: true }),
    perf: get('perf-summary', parsePerf, { everyMs: halfMinute, optional: true }),
    settings: get('settings', parseSettings, { everyMs: minute }),
    presets: get('autotune/presets', parsePresets, { everyMs: fiveMinutes, optional: true }),
    factory: get('chains/factory-info', parseFactory, { everyMs: tenMinutes, optional: true, lasting: true }),
    chips: get('boards', parseChips, { everyMs: fiveMinutes, optional: true }),
    oldChips: get('chips', parseChips, { everyMs: fiveMinutes, optional: true, insteadOf: ['chips'] }),
    stats: rpc('stats', parseRpcStats, { optional: true }),
    rpcPools: rpc('pools', parsePools, { everyMs: halfMinute, optional: true }),
    rpcSummary: rpc('summary', rpcSummaryOf, { insteadOf: ['summary'] }),
    // Builds before 1.2.7 answer it.
    rpcVersion: rpc('version', namedBy, { insteadOf: ['info'], optional: true, lasting: true }),
  },
  telemetry(from) {
    const summary = <V>(take: (summary: Fields, all: Others) => V) =>
      from('summary', (reply, _, all) => take(reply, all as Others))
    const stats = <V>(take: (stats: RpcStats) => V) => from('stats', take)
    const ofRpc = <V>(take: (summary: Fields) => V) => from('rpcSummary', take)
    return {
      model: [from('info', (i) => i.model), stats((s) => s.model), from('rpcVersion', (v) => v.model)],
      variant: from('settings', variantOf),
      firmwareVersion: [
        from('info', (i) => i.firmware),
        stats((s) => s.firmware),
        from('rpcVersion', (v) => v.firmware),
      ],
      controlBoard: from('info', (i) => i.controlBoard),
      serial: from('info', (i) => i.serial),
      mac: from('info', (i) => i.mac),
      hostname: from('info', (i) => i.hostname),
      network: from('info', (i) => i.network),
      psu: from('factory', (f) => f.psu),
      led: from('status', (s) => {
        const on = bool(s.find_miner ?? fields(s.locate_miner).is_enabled ?? s.locate_miner)
        return on === undefined ? undefined : on ? 'blink' : 'off'
      }),

      hashrateThs: [
        summary((s) => rateOf(s, 'instant_hashrate', 'hr_realtime')),
        // While it starts there is no miner to be measured: it does not hash.
        summary((_, all) => (isIdle(stateNow(all)) ? 0 : undefined)),
        ofRpc((s) => rpcRate(s, 'GHS 5s')),
        stats((s) => rpcRate(s.stats, 'GHS 5s')),
      ],
      hashrate5sThs: stats((s) => rpcRate(s.stats, 'GHS 5s')),
      hashrate30mThs: ofRpc((s) => ((num(s.Elapsed) ?? 0) >= 1800 ? rpcRate(s, 'GHS 30m') : undefined)),
      hashrateAvgThs: [
        summary((s) => rateOf(s, 'average_hashrate', 'hr_average')),
        ofRpc((s) => rpcRate(s, 'GHS av')),
        stats((s) => rpcRate(s.stats, 'GHS av')),
      ],
      expectedHashrateThs: [
        summary((s) => positive(rateOf(s, 'nominal_hashrate', 'hr_nominal'))),
        stats((s) => positive(rpcRate(s.stats, 'total_rateideal'))),
      ],
      nominalHashrateThs: summary((s) => positive(rateOf(s, 'stock_hashrate', 'hr_stock'))),
      powerW: [summary((s) => positive(num(s.power_consumption ?? s.power_usage))), stats(rpcPower)],
      powerLimitW: from('perf', (p) => p.preset?.watts),
      efficiencyJTh: summary((s) => positive(num(s.power_efficiency))),
      psuTempC: summary(psuTempC),
      boardTempMaxC: summary((s) => temperature(fields(s.pcb_temp).max)),
      chipTempMaxC: summary((s) => temperature(fields(s.chip_temp).max)),
      chipTempMinC: summary((s) => temperature(fields(s.chip_temp).min)),
      fanDutyPct: [summary((s) => num(fields(s.cooling).fan_duty)), stats((s) => num(s.stats.fan_pwm))],
      uptimeS: from('info', (i) => i.uptimeS),
      miningUptimeS: [stats((s) => count(s.stats.Elapsed)), summary((_, all) => stateNow(all)?.forS)],
      hwErrors: [summary((s) => count(s.hw_errors)), ofRpc((s) => count(s['Hardware Errors']))],
      hwErrorPct: [summary((s) => num(s.hw_errors_percent ?? s.hr_error)), ofRpc((s) => num(s['Device Hardware%']))],
      bestShare: [summary((s) => count(s.best_share)), ofRpc((s) => count(s['Best Share']))],

      boards: [
        from('summary', (s, model, { chips, oldChips, factory }) =>
          withChipCounts(boardsOf(s, defined({ chips: chips ?? oldChips, factory })), model),
        ),
        from('stats', (s, model) => withChipCounts(rpcBoards(s), model)),
      ],
      fans: [summary(fansOf), stats(rpcFans)],
      pools: [
        summary((s, { rpcPools }) => poolsOf(s, rpcPools)),
        from('rpcPools', (pools) => (pools.length > 0 ? pools : undefined)),
      ],

      tuning: [
        from('perf', (perf, _, all) => {
          const state = stateNow(all as Others)
          return defined({
            mode: isAsleep(state) ? ('sleep' as const) : ('custom' as const),
            targetW: perf.preset?.watts,
            targetThs: perf.preset?.ths,
            preset: perf.name,
            percent: state?.throttledPct,
            tuned: perf.tuned,
          })
        }),
        from('settings', (s) => {
          const preset = words(fields(fields(s.miner).overclock).preset, 32)
          return preset === undefined ? undefined : { preset }
        }),
      ],
      limits: [
        from('presets', (presets, _, { settings }) => limitsOf(presets, settings)),
        from('settings', (s) => limitsOf(undefined, s)),
      ],
      fanSetting: from('settings', fanSettingOf),
      tuningNow: [
        summary((_, all) => stateNow(all)?.name === 'auto-tuning'),
        stats((s) => stateOf(rpcState(s))?.name === 'auto-tuning'),
      ],
      asleep: [summary((_, all) => isAsleep(stateNow(all))), stats((s) => isAsleep(stateOf(rpcState(s))))],
      errors: [
        summary((s, all) => [...vnishErrors(s, all.status, stateNow(all)), ...faultsOf(all.stats)]),
        stats((s) => [...stateErrors(stateOf(rpcState(s))), ...faultsOf(s)]),
      ],
    }
  },
  commands: vnishCommands,
  notes: [
    'Presets that need a modified power supply are not chosen. With the preset switcher on, a power limit also becomes its upper end.',
    'What `locate-miner` of 1.3 takes is not known: it is sent what `find-miner` takes, and read back.',
    'How uptime is written beyond a day, and how long a token lives, is not known: the usual forms are read, a login is renewed.',
    'When a pool got its last share is only told by the RPC.',
  ],
  defaults: { intervalMs: 15_000, timeoutMs: 12_000, credentials: vnishLogin },
})

const faultsOf = (stats: RpcStats | undefined) =>
  stats === undefined ? [] : rpcFaults(stats).map(({ slot, text }) => chainFault(slot, text))
