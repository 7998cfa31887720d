import { type DeviceError, type Pool, SdkError } from '#model'
import { defineDevice, read } from '../define.js'
import { antminerModel, antminers, antminerTitle } from '../hardware/antminer.js'
import { bitmainEngineering, bitmainWeb, factoryLogin, webPort } from '../kit/bitmain.js'
import { cgminer } from '../kit/cgminer.js'
import { parsePools } from '../kit/cgminer-pools.js'
import { fields, num, parseJson, str } from '../kit/json.js'
import { defined } from '../kit/values.js'
import { boardsOf, fansOf, hottestBoard } from './antminer-boards.js'
import { antminerCommands } from './antminer-commands.js'
import { poolErrors, statsErrors, summaryErrors, warningErrors } from './antminer-errors.js'
import { antminerIdentify } from './antminer-identify.js'
import { parseSummary, type Summary } from './antminer-replies.js'
import {
  frequencyShift,
  modeName,
  parseBlink,
  parseConf,
  parseInfo,
  parseMinerType,
  parseNetwork,
} from './antminer-settings.js'
import { parseStats, type Stats } from './antminer-stats.js'

const halfMinute = 30_000
const minute = 60_000
const tenMinutes = 600_000

/**
 * Bitmain's stock firmware (protocols/antminer.md). The web interface is the first way, one connection a visit and mostly one request;
 * the RPC on 4028 gives the same values when the web cannot be reached or refuses the password, without settings and identity.
 */
export const antminerStock = defineDevice({
  library: 'miner-antminer',
  kind: 'miner',
  make: 'Bitmain',
  family: 'stock',
  mainPort: webPort,
  models: antminers,
  modelOf: antminerModel,
  identify: antminerIdentify,
  reads: {
    stats: read(bitmainWeb, { cgi: 'stats' }, parseStats),
    summary: read(bitmainWeb, { cgi: 'summary' }, parseSummary, { everyMs: halfMinute }),
    pools: read(bitmainWeb, { cgi: 'pools' }, parsePools, { everyMs: halfMinute }),
    conf: read(bitmainWeb, { cgi: 'get_miner_conf' }, parseConf, { everyMs: minute }),
    blink: read(bitmainWeb, { cgi: 'get_blink_status' }, parseBlink, { everyMs: minute, optional: true }),
    info: read(bitmainWeb, { cgi: 'get_system_info' }, parseInfo, { everyMs: tenMinutes, lasting: true }),
    network: read(bitmainWeb, { cgi: 'get_network_info' }, parseNetwork, { everyMs: tenMinutes, optional: true }),
    minerType: read(bitmainWeb, { cgi: 'miner_type' }, parseMinerType, {
      everyMs: tenMinutes,
      optional: true,
      lasting: true,
    }),
    rpcStats: read(cgminer, { command: 'stats', newApi: true }, parseStats, { insteadOf: ['stats'] }),
    rpcSummary: read(cgminer, { command: 'summary', newApi: true }, parseSummary, {
      everyMs: halfMinute,
      insteadOf: ['summary'],
    }),
    rpcPools: read(cgminer, { command: 'pools', newApi: true }, parsePools, {
      everyMs: halfMinute,
      insteadOf: ['pools'],
    }),
    power: read(bitmainEngineering, { path: '/miner_power' }, parsePower, { everyMs: halfMinute, optional: true }),
    warning: read(bitmainEngineering, { path: '/warning' }, parseWarning, { everyMs: minute, optional: true }),
  },
  telemetry(from) {
    /** The same value of whichever way brought it. */
    const stats = <V>(take: (stats: Stats, model: Parameters<typeof boardsOf>[1]) => V) => [
      from('stats', take),
      from('rpcStats', take),
    ]
    const summary = <V>(take: (summary: Summary) => V) => [from('summary', take), from('rpcSummary', take)]
    return {
      model: [
        ...stats((s) => antminerTitle(s.type)),
        from('minerType', (t) => antminerTitle(t.type)),
        from('info', (i) => antminerTitle(i.type)),
      ],
      variant: from('minerType', (t) => t.hashBoard),
      controlBoard: from('minerType', (t) => t.controlBoard),
      firmwareVersion: [
        from('info', (i) => i.firmware),
        from('minerType', (t) => t.firmware),
        ...stats((s) => s.compiled),
      ],
      apiVersion: stats((s) => s.api),
      serial: from('info', (i) => i.serial),
      mac: [from('info', (i) => i.mac), from('network', (n) => n.mac)],
      hostname: [from('network', (n) => n.hostname), from('info', (i) => i.hostname)],
      network: [from('network', (n) => n.network), from('info', (i) => i.network)],
      led: from('blink', (blink) => blink),

      // The present rate, also when it is 0: an average that lingers is no hashing (§5).
      hashrateThs: [...stats((s) => s.nowThs), ...summary((s) => s.nowThs)],
      hashrate5sThs: [...stats((s) => s.nowThs), ...summary((s) => s.nowThs)],
      hashrate30mThs: [...stats((s) => s.last30mThs), ...summary((s) => s.last30mThs)],
      hashrateAvgThs: [...stats((s) => s.averageThs), ...summary((s) => s.averageThs)],
      expectedHashrateThs: [...stats((s) => s.idealThs), ...summary((s) => s.idealThs)],
      nominalHashrateThs: stats((s) => s.labelThs),
      miningUptimeS: [...stats((s) => s.elapsedS), ...summary((s) => s.elapsedS)],

      powerW: [...stats((s) => s.powerW), from('power', (watts) => watts)],
      efficiencyJTh: stats((s) => s.jt),
      ambientTempC: stats((s) => s.ambientC),
      boards: stats(boardsOf),
      boardTempMaxC: stats(hottestBoard),
      fans: stats(fansOf),
      fanDutyPct: from('conf', (c) => c.fanDutyPct),

      pools: [from('pools', orNothing), from('rpcPools', orNothing), from('conf', (c) => orNothing(c.pools))],
      hwErrors: [...summary((s) => s.hwErrors), ...stats((s) => s.hwErrors)],
      hwErrorPct: [...stats((s) => s.hwErrorPct), ...summary((s) => s.hwErrorPct)],
      bestShare: summary((s) => s.bestShare),
      poolRejectPct: summary((s) => s.poolRejectPct),
      poolStalePct: summary((s) => s.poolStalePct),

      tuning: [
        from('conf', (c) => (c.mode === undefined ? undefined : c.tuning)),
        ...stats((s) =>
          s.mode === undefined
            ? undefined
            : defined({ mode: modeName(s.mode), frequencyPct: frequencyShift(s.freqLevel) }),
        ),
      ],
      asleep: [
        ...stats((s) => (s.mode === undefined ? undefined : modeName(s.mode) === 'sleep')),
        from('conf', (c) => (c.mode === undefined ? undefined : c.mode === 'sleep')),
        ...stats((s) => (s.empty ? true : undefined)),
      ],
      errors: [
        from('stats', (_, __, all) => findings(all)),
        from('rpcStats', (_, __, all) => findings(all)),
        from('summary', (_, __, all) => findings(all)),
      ],
    }
  },
  commands: antminerCommands,
  defaults: { intervalMs: 10_000, timeoutMs: 8000, credentials: factoryLogin },
})

/** Everything that speaks of trouble, each thing from the way that is in use. */
function findings(all: {
  readonly stats?: Stats
  readonly rpcStats?: Stats
  readonly summary?: Summary
  readonly rpcSummary?: Summary
  readonly pools?: Pool[]
  readonly rpcPools?: Pool[]
  readonly warning?: string | undefined
}): DeviceError[] {
  const stats = all.stats ?? all.rpcStats
  const summary = all.summary ?? all.rpcSummary
  return [
    ...(summary ? summaryErrors(summary) : []),
    ...(stats ? statsErrors(stats) : []),
    ...poolErrors(all.pools ?? all.rpcPools ?? []),
    ...warningErrors(all.warning),
  ]
}

function orNothing<T>(list: readonly T[]): T[] | undefined {
  return list.length > 0 ? [...list] : undefined
}

/** `miner power:3412`; nothing measured is not reported. */
function parsePower(reply: unknown): number | undefined {
  const watts = num(/power\s*:\s*(\d{1,6})/i.exec(String(reply))?.[1])
  if (watts === undefined) throw new SdkError('NOT_REPORTED', 'it does not report its power there')
  return watts > 0 ? watts : undefined
}

/** `{"error_message":"J1:4"}` or the bare code; undefined for none. */
function parseWarning(reply: unknown): string | undefined {
  const text = String(reply).trim()
  const code = text.startsWith('{') ? str(fields(parseJson(text)).error_message) : text
  return code === undefined || /^(none|ok|)$/i.test(code) ? undefined : code.slice(0, 32)
}
