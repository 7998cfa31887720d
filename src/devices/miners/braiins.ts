import type { Board, DeviceError, Fan } from '#model'
import { defineDevice, type Evidence, type Match, type Model, read } from '../define.js'
import { braiinsModel, braiinsModels, braiinsName } from '../hardware/braiins.js'
import { cgminer, type RpcRequest, rpcPort, rpcVersion, rpcWrite, section } from '../kit/cgminer.js'
import { parsePools } from '../kit/cgminer-pools.js'
import { type Fields, fields, num, rows, str } from '../kit/json.js'
import { shown } from '../kit/shown.js'
import { daemonSign, isSaid } from '../kit/signs.js'
import { count, defined, maxParts, mean, temperature, tidy } from '../kit/values.js'
import { distinct, errorOf, fitted, inOrder, slotOf, thsOfMhs } from './braiins-parts.js'

const halfMinute = 30_000
const tenMinutes = 600_000

const list = (command: string, name: string, options: Parameters<typeof read>[3] = {}) =>
  read(cgminer, { command } satisfies RpcRequest, (reply) => section(reply, name).slice(0, maxParts), options)

const reads = {
  summary: read(cgminer, { command: 'summary' } as RpcRequest, (reply) => section(reply, 'SUMMARY')[0] ?? {}),
  devs: list('devs', 'DEVS'),
  temps: list('temps', 'TEMPS', { optional: true }),
  fans: list('fans', 'FANS', { optional: true }),
  pools: read(cgminer, { command: 'pools' } as RpcRequest, parsePools, { everyMs: halfMinute }),
  tuner: list('tunerstatus', 'TUNERSTATUS', { everyMs: halfMinute, optional: true }),
  details: list('devdetails', 'DEVDETAILS', { everyMs: tenMinutes, lasting: true }),
  version: read(cgminer, { command: 'version' } as RpcRequest, (reply) => section(reply, 'VERSION')[0] ?? {}, {
    everyMs: tenMinutes,
    lasting: true,
  }),
}

/** The boards of `devs`, with what the other lists tell of the same ones. */
function boardsOf(
  devs: readonly Fields[],
  temps: readonly Fields[] = [],
  details: readonly Fields[] = [],
): Board[] | undefined {
  const slot = slotOf(devs.map(({ ID }) => ID))
  const own = (all: readonly Fields[], dev: Fields) => all.find((each) => num(each.ID) === num(dev.ID)) ?? {}
  const boards = devs.map((dev): Board => {
    const temp = own(temps, dev)
    const detail = own(details, dev)
    return {
      slot: slot(dev.ID),
      ...defined({
        hashrateThs: thsOfMhs(dev['MHS 5s'] ?? dev['MHS 1m'] ?? dev['MHS av']),
        expectedHashrateThs: thsOfMhs(dev['Nominal MHS']),
        chips: count(detail.Chips),
        frequencyMhz: frequency(detail.Frequency),
        voltageV: num(detail.Voltage) || undefined,
        boardTempC: temperature(temp.Board),
        chipTempMaxC: temperature(temp.Chip),
        hwErrors: count(dev['Hardware Errors']),
      }),
    }
  })
  return boards.length > 0 ? boards.sort(inOrder) : undefined
}

/** Hz on some builds, MHz on others. */
function frequency(value: unknown): number | undefined {
  const number = num(value)
  return !number ? undefined : tidy(number > 1e5 ? number / 1e6 : number)
}

function fansOf(list: readonly Fields[], model: Model): Fan[] {
  const fans = list.map((fan, at) => ({
    index: count(fan.FAN) ?? at,
    ...defined({ rpm: count(fan.RPM), dutyPct: num(fan.Speed ?? fan['Speed %']) }),
  }))
  return fitted(fans, model)
}

/** Any other state of a board's tuner is an error in words. */
const fineTuner = /^(stable|testing performance profile|tuning individual chips|tuned|continuous)/i

function tunerErrors(tuner: readonly Fields[]): DeviceError[] {
  const chains = rows(tuner[0]?.TunerChainStatus)
  const slot = slotOf(chains.map(({ HashchainIndex }) => HashchainIndex))
  const errors = chains.flatMap((chain): DeviceError[] => {
    const status = str(chain.Status)
    if (status === undefined || fineTuner.test(status)) return []
    const error = errorOf(status.split(' {', 1)[0]!)
    return [{ ...error, component: 'board', index: slot(chain.HashchainIndex) }]
  })
  return distinct(errors)
}

function isTuning(tuner: readonly Fields[]): boolean {
  return rows(tuner[0]?.TunerChainStatus).some(({ Status }) => /^(testing|tuning)/i.test(str(Status) ?? ''))
}

/** The RPC alone: only where the newer interfaces do not answer. */
function match(seen: Evidence): Match | undefined {
  if (daemonSign(seen) !== 'braiins' || !isSaid(seen, 'braiins')) return undefined
  const row = rows(fields(seen.answer(rpcVersion)).VERSION)[0] ?? {}
  const daemon = str(row.BOSer) ?? str(row['BOSminer+']) ?? str(row.BOSminer)
  return { confidence: 0.85, why: [`its RPC is that of BOSminer${daemon ? `: ${daemon}` : ''}`] }
}

const pause =
  (command: 'pause' | 'resume') =>
  async (_: unknown, { io }: { io: Parameters<typeof rpcWrite>[0] }) => {
    await rpcWrite(io, { command })
  }

/** Braiins OS of the time before its other interfaces, and wherever these are closed: BOSminer on TCP 4028 (protocols/braiins.md §2). */
export const braiinsRpc = defineDevice({
  library: 'miner-braiins',
  kind: 'miner',
  make: 'Bitmain',
  family: 'braiins',
  mainPort: rpcPort,
  models: braiinsModels,
  modelOf: braiinsModel,
  identify: { probes: [rpcVersion], match },
  reads,
  telemetry(from) {
    const rate = (key: string) => from('summary', (summary) => thsOfMhs(summary[key]))
    const total = (key: string) => from('summary', (summary) => num(summary[key]))
    const tuner = (key: string) => from('tuner', ([first]) => num(first?.[key]))
    return {
      model: from('details', (details) => braiinsName(str(details[0]?.Model))),
      firmwareVersion: from('version', (v) => str(v.BOSer) ?? str(v['BOSminer+']) ?? str(v.BOSminer)),
      apiVersion: from('version', (v) => str(v.API)),
      hashrateThs: [rate('MHS 5s'), rate('MHS 1m')],
      hashrate5sThs: rate('MHS 5s'),
      hashrate1mThs: rate('MHS 1m'),
      hashrate5mThs: rate('MHS 5m'),
      hashrate15mThs: rate('MHS 15m'),
      hashrate24hThs: rate('MHS 24h'),
      hashrateAvgThs: rate('MHS av'),
      expectedHashrateThs: from('devs', (devs) => {
        const rates = devs.map((dev) => thsOfMhs(dev['Nominal MHS'])).filter((each) => each !== undefined)
        return rates.length === 0 ? undefined : tidy(rates.reduce((sum, each) => sum + each, 0))
      }),
      powerW: tuner('ApproximateMinerPowerConsumption'),
      powerLimitW: tuner('PowerLimit'),
      boards: from('devs', (devs, _, { temps, details }) => boardsOf(devs, temps, details)),
      fans: from('fans', (fans, model) => fansOf(fans, model)),
      fanDutyPct: from('fans', (fans, model) => mean(fansOf(fans, model).map(({ dutyPct }) => dutyPct ?? undefined))),
      miningUptimeS: total('Elapsed'),
      acceptedShares: total('Accepted'),
      rejectedShares: total('Rejected'),
      staleShares: total('Stale'),
      hwErrors: total('Hardware Errors'),
      bestShare: total('Best Share'),
      pools: from('pools', (pools) => (pools.length > 0 ? pools : undefined)),
      tuning: from('tuner', ([first]) => {
        const targetW = num(first?.PowerLimit)
        return targetW === undefined ? undefined : { mode: 'custom', targetW }
      }),
      tuningNow: from('tuner', isTuning),
      errors: from('tuner', tunerErrors),
    }
  },
  commands: {
    suspend: {
      run: pause('pause'),
      settleMs: shown.suspend.settleMs,
      settled: (now) => now.hashrateThs === 0,
    },
    resume: {
      run: pause('resume'),
      settleMs: shown.resume.settleMs,
      settled: (now) => (now.hashrateThs ?? 0) > 0,
    },
  },
  notes: [
    'BOSminer alone takes little more than a pause: newer versions are commanded over GraphQL or REST. gRPC is not used.',
  ],
  defaults: { intervalMs: 15_000, timeoutMs: 10_000, credentials: [] },
})
