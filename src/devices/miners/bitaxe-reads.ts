import { type Evidence, type From, type Identify, type Match, read, type TelemetryMap } from '../define.js'
import { asicPath, axeos, axeosInfo, infoPath } from '../kit/axeos.js'
import { type Fields, num, str } from '../kit/json.js'
import { webPage } from '../kit/signs.js'
import { attempt, defined, highest, macOf, temperature } from '../kit/values.js'
import {
  type Asic,
  bestShare,
  boardsOf,
  chipTemps,
  errorsOf,
  expected,
  fansOf,
  inputCurrent,
  inputVoltage,
  isNerd,
  isPaused,
  modelOf,
  networkOf,
  parseAsic,
  parseInfo,
  poolsOf,
  rate,
} from './bitaxe-info.js'

const tenMinutes = 600_000

export const axeosReads = {
  info: read(axeos.protocol, { path: infoPath }, parseInfo),
  asic: read(axeos.protocol, { path: asicPath }, parseAsic, { everyMs: tenMinutes, optional: true, lasting: true }),
}

function match(seen: Evidence, wantsNerd: boolean): Match | undefined {
  const info = attempt(() => parseInfo(seen.answer(axeosInfo)))
  if (!info || isNerd(info) !== wantsNerd) return undefined
  const chip = str(info.ASICModel)
  return {
    confidence: chip ? 1 : 0.8,
    why: [`its system information names ${[chip, modelOf(info), str(info.version)].filter((each) => each).join(', ')}`],
    model: modelOf(info),
    variant: str(info.boardVersion),
    firmware: str(info.version),
    mac: macOf(info.macAddr),
  }
}

function tuningOf(info: Fields, asic: Asic | undefined) {
  const mhz = num(info.frequency)
  if (!mhz || !asic?.defaultMhz) return undefined
  return defined({ frequencyPct: Math.round((mhz / asic.defaultMhz - 1) * 100) })
}

export function axeosTelemetry(from: From<typeof axeosReads>): TelemetryMap {
  const metric = (key: string) => from('info', (info) => num(info[key]))
  return {
    model: [from('info', modelOf), from('asic', (asic) => asic.model)],
    variant: from('info', (info) => str(info.boardVersion)),
    firmwareVersion: from('info', (info) => str(info.version)),
    apiVersion: from('info', (info) => str(info.axeOSVersion) ?? str(info.version)),
    controlBoard: from('info', (info) => str(info.boardVersion)),
    mac: from('info', (info) => macOf(info.macAddr)),
    hostname: from('info', (info) => str(info.hostname)),
    network: from('info', networkOf),

    hashrateThs: from('info', (info) => rate(info.hashRate)),
    hashrate1mThs: from('info', (info) => rate(info.hashRate_1m)),
    hashrate1hThs: from('info', (info) => rate(info.hashRate_1h)),
    hashrate24hThs: from('info', (info) => rate(info.hashRate_1d)),
    expectedHashrateThs: from('info', (info, model, { asic }) => expected(info, asic, model)),

    powerW: metric('power'),
    psuInputVoltageV: from('info', inputVoltage),
    psuInputCurrentA: from('info', inputCurrent),
    chipTempMaxC: from('info', (info) => highest(chipTemps(info))),
    chipTempAvgC: from('info', (info) => temperature(info.temp)),
    boardTempMaxC: from('info', (info) => temperature(info.vrTemp)),
    frequencyMhz: [metric('actualFrequency'), metric('frequency')],
    boards: from('info', (info, model, { asic }) => boardsOf(info, asic, model)),
    fans: from('info', fansOf),
    fanDutyPct: metric('fanspeed'),

    uptimeS: metric('uptimeSeconds'),
    acceptedShares: metric('sharesAccepted'),
    rejectedShares: metric('sharesRejected'),
    hwErrorPct: metric('errorPercentage'),
    bestShare: from('info', bestShare),
    pools: from('info', poolsOf),
    tuning: from('info', (info, _, { asic }) => tuningOf(info, asic)),
    asleep: from('info', isPaused),
    errors: from('info', errorsOf),
  }
}

/** A small controller with few sockets: it is left alone for a while between two visits (protocols/bitaxe.md §1). */
export const axeosDefaults = { intervalMs: 10_000, timeoutMs: 8000, credentials: [] } as const
export const axeosIdentify = (wantsNerd: boolean): Identify => ({
  probes: [webPage, axeosInfo],
  match: (seen: Evidence) => match(seen, wantsNerd),
})
