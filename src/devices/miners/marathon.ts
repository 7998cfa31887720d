import { SdkError } from '#model'
import { defineDevice, type Evidence, type Match, type Probe, read } from '../define.js'
import { antminerModel, antminers, withChipCounts } from '../hardware/antminer.js'
import { rpcVersion } from '../kit/cgminer.js'
import { webPort } from '../kit/http.js'
import { isObject } from '../kit/json.js'
import { type MaraRequest, mara, maraCall, maraLogin } from '../kit/marathon.js'
import { isSaid, mayBe, pageOf, pageSign, webPage } from '../kit/signs.js'
import { attempt } from '../kit/values.js'
import { bitmainInfo } from './antminer-identify.js'
import { marathonCommands } from './marathon-commands.js'
import {
  type Brief,
  boardsOf,
  fansOf,
  isAsleep,
  isTuning,
  maraErrors,
  parseBoards,
  parseBrief,
  parseConfig,
  parseControl,
  parseFans,
  parseLocate,
  parseMaraPools,
  parseNetwork,
  parseOverview,
  tuningOf,
} from './marathon-replies.js'

const halfMinute = 30_000
const minute = 60_000
const tenMinutes = 600_000

const get = <T>(path: string, parse: (reply: unknown) => T, options: Parameters<typeof read>[3] = {}) =>
  read(mara, { path } satisfies MaraRequest, parse, options)

/** Nobody else has these pages. Asked where the first page says so, or says nothing that we know; of Bitmain's login only where nothing of Bitmain is behind it. */
const maraOverview: Probe = {
  name: 'marathon overview',
  port: webPort,
  when(seen) {
    const page = pageSign(seen)
    if (page === 'bitmain') {
      const web = seen.answer(bitmainInfo) as { info?: unknown } | undefined
      return web !== undefined && web.info === undefined
    }
    // LuCI of others sends everybody to https.
    const isElsewhere = /^https:/i.test(pageOf(seen)?.location ?? '')
    return page !== undefined && !isElsewhere && mayBe('marathon')(seen)
  },
  async run(io) {
    // A stranger is shown the factory's account; the operator's only where the operator says what it is.
    const known = io.said?.library === 'miner-marathon'
    try {
      return await maraCall(known ? io : { ...io, credentials: [] }, { path: 'overview' })
    } catch (error) {
      // That it wants another password is an answer too, but no evidence.
      if (error instanceof SdkError && error.code === 'DEVICE_AUTH') return error.message
      throw error
    }
  },
}

function match(seen: Evidence): Match | undefined {
  const answer = seen.answer(maraOverview)
  const overview = isObject(answer) ? attempt(() => parseOverview(answer)) : undefined
  const isSigned = isSaid(seen, 'marathon')
  const isIts = overview !== undefined && (overview.model !== undefined || overview.firmware !== undefined)
  // Bitmain's realm alone may be asked by MaraFW too; a page of another firmware makes it ambiguous.
  const isForeign = !isSigned && !mayBe('marathon', 'bitmain')(seen)
  if (isForeign || (!isIts && !isSigned)) return undefined
  return {
    confidence: isIts ? (overview.model === undefined ? 0.95 : 1) : 0.8,
    model: overview?.model,
    firmware: overview?.firmware,
    mac: overview?.mac,
    why: [
      ...(isSigned ? ['its page or its RPC names MaraFW'] : []),
      ...(isIts ? [`it has the pages of MaraFW ${overview.firmware ?? ''}`.trim()] : []),
      ...(overview?.model ? [`on an Antminer ${overview.model}`] : []),
    ],
  }
}

/** Antminers with Marathon's MaraFW (protocols/other-firmwares.md). Built from the reference: no replies of a real one were at hand. */
export const marathon = defineDevice({
  library: 'miner-marathon',
  kind: 'miner',
  make: 'Bitmain',
  family: 'marathon',
  mainPort: webPort,
  models: antminers,
  modelOf: antminerModel,
  identify: { probes: [webPage, bitmainInfo, rpcVersion, maraOverview], match },
  reads: {
    brief: get('brief', parseBrief),
    hashboards: get('hashboards', parseBoards),
    fans: get('fans', parseFans),
    pools: get('pools', parseMaraPools, { everyMs: halfMinute }),
    config: get('miner_config', parseConfig, { everyMs: minute }),
    locate: get('locate_miner', parseLocate, { everyMs: minute, optional: true }),
    overview: get('overview', parseOverview, { everyMs: tenMinutes, lasting: true }),
    network: get('network_config', parseNetwork, { everyMs: tenMinutes, optional: true }),
    control: get('controlboard_info', parseControl, { everyMs: tenMinutes, optional: true, lasting: true }),
  },
  telemetry(from) {
    const brief = <V>(take: (brief: Brief) => V) => from('brief', take)
    return {
      model: from('overview', (o) => o.model),
      firmwareVersion: from('overview', (o) => o.firmware),
      serial: from('overview', (o) => o.serial),
      mac: from('overview', (o) => o.mac),
      hostname: [from('network', (n) => n.hostname), from('overview', (o) => o.hostname)],
      network: from('network', (n) => n.network),
      controlBoard: from('control', (name) => name),
      led: from('locate', (led) => led),

      hashrateThs: [brief((b) => b.rate('realtime')), brief((b) => b.rate('average'))],
      hashrateAvgThs: brief((b) => b.rate('average')),
      expectedHashrateThs: brief((b) => b.rate('ideal')),
      nominalHashrateThs: brief((b) => b.rate('sales') || undefined),
      powerW: brief((b) => b.powerW),
      powerLimitW: from('config', (c) => tuningOf(c)?.targetW),
      boardTempMaxC: brief((b) => b.boardC),
      chipTempMaxC: brief((b) => b.chipC),
      miningUptimeS: brief((b) => b.elapsedS),

      boards: from('hashboards', (boards, model, { brief: now }) => withChipCounts(boardsOf(boards, now), model)),
      fans: from('fans', fansOf),
      pools: from('pools', (pools) => (pools.length > 0 ? pools : undefined)),

      tuning: [from('config', tuningOf), brief((b) => (b.workMode === undefined ? undefined : { preset: b.workMode }))],
      tuningNow: brief(isTuning),
      asleep: brief(isAsleep),
      errors: brief(maraErrors),
    }
  },
  commands: marathonCommands,
  notes: [
    'No replies of a real MaraFW were at hand: it is built from the reference, and read with reserve.',
    'How `overview`, `network_config`, `controlboard_info` and `pools` name their values is not known: the usual names are tried.',
    'How its first page looks is not known: it is told by its pages under `/kaonsu/v1/`.',
    'Resuming needs the mode before the sleep: the one that was seen, else the last in `miner_config_history`, else `Stock`, which is then said.',
    'Fans, network, password, firmware, reset and logs: how they are written or asked is not known, so they are not offered.',
    'Which power or hashrate targets a model takes is not told: the miner refuses what it does not take.',
  ],
  defaults: { intervalMs: 15_000, timeoutMs: 12_000, credentials: maraLogin },
})
