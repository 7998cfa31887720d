import { SdkError, toSdkError, withDeadline } from '#model'
import { defineDevice, type Match, type Probe, read } from '../define.js'
import { isLiquid, whatsminerModel, whatsminerModels } from '../hardware/whatsminer.js'
import type { Protocol, Reply } from '../io.js'
import { type BtminerRequest, btminer } from '../kit/btminer.js'
import { rowsOf } from '../kit/btminer-envelope.js'
import { bool, fields, isObject, num, str } from '../kit/json.js'
import {
  askV3,
  messageOfV3,
  whatsminerV3 as protocol,
  type V3Request,
  v3Conversation,
  v3Port,
} from '../kit/whatsminer-v3.js'
import { errorsOf, poolsOf } from './whatsminer-parts.js'
import { whatsminerV3Commands } from './whatsminer-v3-commands.js'
import {
  boardsV3,
  expectedV3,
  fansV3,
  fastestV3,
  type Info,
  infoOf,
  labelThs,
  poolsV3,
  sectionRows,
  tuningV3,
} from './whatsminer-v3-readings.js'
import { above, chipTemp, count, temp } from './whatsminer-values.js'

/** The device's information, its errors and settings, ms: further requests on the same connection. */
const stateMs = 30_000
const sharesMs = 30_000
/** The second port is a courtesy: it may not hold up a visit for longer, ms. */
const sharesDeadlineMs = 2_000

/** After so many visits in a row on which the second port said nothing it counts as closed. */
const silentVisits = 3
const silentKey = 'whatsminer: second port silent'

/**
 * API v2 beside v3, where its port is open at all: refused counts as "this firmware does not have it", and so does silence again and again,
 * as behind a firewall. A single time without an answer is only that: it is asked again soon.
 */
const shares: Protocol<BtminerRequest> = {
  ...btminer,
  name: 'btminer-shares',
  async ask(io, requests) {
    const job = (signal: AbortSignal) => btminer.ask({ ...io, signal }, requests)
    const replies = await withDeadline(sharesDeadlineMs, io.signal, job, 'DEVICE_TIMEOUT').catch((error): Reply[] =>
      requests.map(() => ({ error: toSdkError(error, 'DEVICE_UNREACHABLE') })),
    )
    const codes = replies.map((reply) => ('error' in reply ? reply.error.code : undefined))
    const silent = codes.includes('DEVICE_TIMEOUT') ? Number(io.memory.get(silentKey) ?? 0) + 1 : 0
    if (io.signal.aborted) return replies
    io.memory.set(silentKey, silent)
    const isClosed = codes.includes('DEVICE_UNREACHABLE') || silent >= silentVisits
    return isClosed ? requests.map(() => ({ error: notThere })) : replies
  },
}
const notThere = new SdkError('DEVICE_UNSUPPORTED', 'API v2 is not open beside v3')

const status = <T>(section: string, parse: (message: unknown) => T) =>
  read(protocol, { cmd: 'get.miner.status', param: section } satisfies V3Request, (reply) =>
    parse(messageOfV3(reply, 'get.miner.status')),
  )

const reads = {
  summary: status('summary', (message) => {
    const { summary } = fields(message)
    if (!isObject(summary)) throw new SdkError('DEVICE_BAD_REPLY', 'the status holds no summary')
    return summary
  }),
  pools: status('pools', (message) => sectionRows(message, 'pools')),
  edevs: status('edevs', (message) => sectionRows(message, 'edevs')),
  info: read(
    protocol,
    { cmd: 'get.device.info' },
    (reply): Info => {
      const info = infoOf(messageOfV3(reply, 'get.device.info'))
      if (!info) throw new SdkError('DEVICE_BAD_REPLY', 'the device tells nothing of itself')
      return info
    },
    { everyMs: stateMs },
  ),
  setting: read(protocol, { cmd: 'get.miner.setting' }, (reply) => fields(messageOfV3(reply, 'get.miner.setting')), {
    everyMs: stateMs,
    optional: true,
  }),
  shares: read(shares, { cmd: 'pools' }, (reply) => poolsOf(rowsOf('pools')(reply)), {
    everyMs: sharesMs,
    optional: true,
  }),
}

const infoProbe: Probe = {
  name: 'whatsminer get.device.info',
  port: v3Port,
  proof: true,
  run: (io) => v3Conversation(io, io.signal, (line) => askV3(line, { cmd: 'get.device.info' })),
}

/** The port, the framing and the sections are the vendor's own: an answer is proof. */
function match(seen: { answer(probe: Probe): unknown }): Match | undefined {
  const reply = fields(seen.answer(infoProbe))
  const info = num(reply.code) === 0 ? infoOf(reply.msg) : undefined
  if (!info) return undefined
  const { name, firmware, mac } = info.about
  if (!name && !firmware) return undefined
  return {
    confidence: 1,
    why: [`get.device.info on the v3 port names ${str(info.miner.type) ?? `firmware ${firmware}`}`],
    model: name?.model,
    variant: name?.variant,
    firmware,
    mac,
  }
}

/** Counted by API v2 on 4028; v3 has no totals. */
function total(
  pools: readonly { readonly [key in 'accepted' | 'rejected' | 'stale']?: number | null }[],
  key: 'accepted' | 'rejected' | 'stale',
) {
  const counts = pools.map((pool) => pool[key]).filter((count) => count != null)
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0)
}

/** MicroBT Whatsminer, stock firmware with API v3 on TCP 4433. */
export const whatsminerV3 = defineDevice({
  library: 'miner-whatsminer',
  kind: 'miner',
  make: 'MicroBT',
  family: 'stock-v3',
  mainPort: v3Port,
  models: whatsminerModels,
  modelOf: whatsminerModel,
  identify: { probes: [infoProbe], match },
  reads,
  telemetry: (from) => ({
    model: from('info', ({ about }) => about.name?.model),
    variant: from('info', ({ about }) => about.name?.variant),
    firmwareVersion: from('info', ({ about }) => about.firmware),
    apiVersion: from('info', ({ about }) => about.api),
    controlBoard: from('info', ({ about }) => about.controlBoard),
    serial: from('info', ({ about }) => about.serial),
    mac: from('info', ({ about }) => about.mac),
    hostname: from('info', ({ about }) => about.hostname),
    network: from('info', ({ about }) => about.network),
    led: from('info', ({ about }) => about.led),
    psu: from('info', ({ psu }) => psu.about),

    hashrateThs: from('summary', (summary) => count(summary['hash-realtime']) ?? count(summary['hash-1min'])),
    hashrate1mThs: from('summary', (summary) => count(summary['hash-1min'])),
    hashrate15mThs: from('summary', (summary) => count(summary['hash-15min'])),
    hashrateAvgThs: from('summary', (summary) => count(summary['hash-average'])),
    nominalHashrateThs: from('summary', (summary, _, { info }) => labelThs(summary, info?.miner ?? {})),
    expectedHashrateThs: from('summary', (summary, _, { info, setting }) =>
      expectedV3(summary, info?.miner ?? {}, setting ?? {}),
    ),

    powerW: from('summary', (summary) => count(summary['power-realtime']) ?? count(summary['power-5min'])),
    powerLimitW: [
      from('summary', (summary) => above(summary['power-limit'])),
      from('setting', (setting) => above(setting['power-limit'])),
    ],
    efficiencyJTh: from('summary', (summary) =>
      above(summary['hash-realtime']) === undefined ? undefined : above(summary['power-rate']),
    ),
    psuInputVoltageV: from('info', ({ psu }) => psu.voltageV),
    psuInputCurrentA: from('info', ({ psu }) => psu.currentA),
    psuInputPowerW: from('info', ({ psu }) => psu.powerW),
    psuOutputVoltageV: from('info', ({ psu }) => psu.outputV),
    psuTempC: from('info', ({ psu }) => psu.tempC),
    psuFanRpm: from('info', ({ psu }) => psu.fanRpm),

    ambientTempC: from('summary', (summary, model) =>
      isLiquid(model) ? undefined : temp(summary['environment-temperature']),
    ),
    inletTempC: [
      from('summary', (summary, model) => (isLiquid(model) ? temp(summary['environment-temperature']) : undefined)),
      from('info', ({ psu }) => psu.liquidTempC),
    ],
    chipTempMinC: from('summary', (summary) => chipTemp(summary['chip-temp-min'])),
    chipTempMaxC: from('summary', (summary) => chipTemp(summary['chip-temp-max'])),
    chipTempAvgC: from('summary', (summary) => chipTemp(summary['chip-temp-avg'])),
    fanMaxRpm: from('summary', fastestV3),
    frequencyMhz: from('summary', (summary) => count(summary['freq-avg'])),

    uptimeS: from('summary', (summary) => count(summary['bootup-time'])),
    miningUptimeS: from('summary', (summary) => count(summary.elapsed)),
    acceptedShares: from('shares', (pools) => total(pools, 'accepted')),
    rejectedShares: from('shares', (pools) => total(pools, 'rejected')),
    staleShares: from('shares', (pools) => total(pools, 'stale')),
    poolRejectPct: from('pools', (pools) => rejectPct(poolsV3(pools, undefined))),

    boards: from('summary', (summary, _, { edevs, info }) => boardsV3(summary, edevs, info?.miner ?? {})),
    fans: from('summary', fansV3),
    pools: from('pools', (pools, _, { shares: counted }) => poolsV3(pools, counted)),
    errors: from('info', ({ errors }) => errorsOf(errors)),
    tuning: from('setting', (setting, _, { summary }) => tuningV3(setting, summary)),
    tuningNow: from('summary', (summary) => {
      const finished = bool(summary['up-freq-finish'])
      return finished === undefined ? undefined : !finished
    }),
    asleep: from('info', (info) => info.asleep),
  }),
  commands: whatsminerV3Commands,
  defaults: {
    intervalMs: 10_000,
    timeoutMs: 10_000,
    credentials: [{ username: 'super', password: 'super' }],
  },
})

function rejectPct(pools: readonly { readonly active?: boolean | null; readonly rejectPct?: number | null }[]) {
  return pools.find((pool) => pool.active)?.rejectPct
}
