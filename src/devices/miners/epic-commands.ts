import { type CommandInput, SdkError } from '#model'
import type { Command, Commands, Telemetry } from '../define.js'
import type { Io } from '../io.js'
import { epic, epicWrite, epicWriteAndLeave, throwIfRefused, withPassword } from '../kit/epic.js'
import { checkFanInput, checkRange } from '../kit/limits.js'
import { hasPoolsByAddress, settleMs, shown } from '../kit/shown.js'
import { multipartFile, verifiedSize } from '../kit/upload.js'
import { parseCapabilities, parseSummary } from './epic-replies.js'

/** What ePIC's firmware can be told (protocols/epic.md §3). A network or factory reset is not among it: their bodies are not known. */

const summaryOf = async (io: Io) => parseSummary(await epic(io, '/summary'))

const setPools: Command<'setPools'> = {
  async run({ pools }, { io }) {
    const { coin, uniqueId } = await summaryOf(io)
    const configs = pools.map(({ url, user, password }) => ({ pool: url, login: user, password: password ?? '' }))
    await epicWrite(io, '/coin', { coin: coin ?? 'BTC', stratum_configs: configs, unique_id: uniqueId ?? false })
  },
  settled: hasPoolsByAddress,
  settleMs: settleMs.restart,
}

/** Less than this no fan stands for, %; for a miner that does not tell its own. */
const usualIdlePct = 20
const usualTargetC = 60

const setFan: Command<'setFan'> = {
  check(input, model) {
    if (model.fans === 0) throw new SdkError('DEVICE_UNSUPPORTED', 'this model has no fans')
    checkFanInput(input, ['mode', 'dutyPct', 'targetTempC', 'minFans'])
    if (input.minFans !== undefined && model.fans !== undefined && input.minFans > model.fans)
      throw new SdkError('BAD_REQUEST', `this model has ${model.fans} fans, not ${input.minFans}`)
  },
  async run({ mode, dutyPct, targetTempC, minFans }, { io }) {
    if (minFans !== undefined) await epicWrite(io, '/fans/minimum', minFans)
    if (dutyPct !== undefined) return epicWrite(io, '/fanspeed', { Manual: dutyPct })
    if (mode !== 'auto' && targetTempC === undefined) return
    const { fanSetting, idlePct } = await summaryOf(io)
    const target = targetTempC ?? fanSetting?.targetTempC ?? usualTargetC
    await epicWrite(io, '/fanspeed', { Auto: { 'Target Temperature': target, 'Idle Speed': idlePct ?? usualIdlePct } })
  },
  settled({ fanSetting }, { mode, dutyPct, targetTempC, minFans }) {
    if (minFans !== undefined && fanSetting?.minFans !== minFans) return false
    if (dutyPct !== undefined) return fanSetting?.mode === 'manual' && fanSetting.dutyPct === dutyPct
    if (mode !== 'auto' && targetTempC === undefined) return true
    return fanSetting?.mode === 'auto' && (targetTempC === undefined || fanSetting.targetTempC === targetTempC)
  },
  settleMs: settleMs.setting,
}

/** How far heat may lower a target at a time, in its unit, where the miner has not said so yet. */
const usualStep = { 'TH/s': 5, W: 100 } as const

/** One of the algorithms that hold a target, the present one if it holds this kind. */
async function setTarget(io: Io, target: number, unit: 'TH/s' | 'W') {
  const { tune } = await summaryOf(io)
  const { algorithms, limits } = parseCapabilities(await epic(io, '/capabilities'))
  const holds = (name: string) => name !== '' && (name === 'Power') === (unit === 'W')
  const algo = tune && holds(tune.algorithm) ? tune.algorithm : algorithms.find(holds)
  if (algo === undefined)
    throw new SdkError('DEVICE_UNSUPPORTED', `this firmware has no algorithm that holds a target in ${unit}`)
  const range = unit === 'W' ? limits.powerW : limits.hashrateThs
  const isSame = tune?.unit === unit
  await epicWrite(io, '/perpetualtune/algo', {
    algo,
    target,
    min_throttle: Math.min(target, (isSame ? tune.leastTarget : undefined) ?? range?.[0] ?? target),
    throttle_step: (isSame ? tune.step : undefined) ?? usualStep[unit],
  })
  if (!tune?.running) await epicWrite(io, '/perpetualtune', true)
}

function needs(what: unknown, unit: string) {
  if (what === undefined)
    throw new SdkError('DEVICE_UNSUPPORTED', `this miner has no algorithm that holds a target in ${unit}`)
}

const setHashrateTarget: Command<'setHashrateTarget'> = {
  check({ ths }, _, { limits }) {
    needs(limits?.hashrateThs, 'TH/s')
    checkRange('hashrate target', ths, 'TH/s', limits?.hashrateThs)
    if (!Number.isInteger(ths)) throw new SdkError('BAD_REQUEST', 'the target must be whole TH/s')
  },
  run: ({ ths }, { io }) => setTarget(io, ths, 'TH/s'),
  settled: (now, { ths }) => now.tuning?.targetThs === ths,
  settleMs: settleMs.setting,
}

const setPowerLimit: Command<'setPowerLimit'> = {
  check({ watts }, _, { limits }) {
    needs(limits?.powerW, 'W')
    checkRange('power target', watts, 'W', limits?.powerW)
  },
  run: ({ watts }, { io }) => setTarget(io, watts, 'W'),
  settled: (now, { watts }) => now.powerLimitW === watts,
  settleMs: settleMs.setting,
}

const setPassword: Command<'setPassword'> = {
  check({ account }) {
    if (account !== undefined) throw new SdkError('DEVICE_UNSUPPORTED', 'it has one password and no accounts')
  },
  async run({ password }, { io }) {
    await epicWrite(io, '/password', password)
    return { next: 'set the new password as the credentials of this device' }
  },
  settleMs: 0,
}

const maxLogBytes = 16 * 1024 * 1024
const maxLog = 256 * 1024

const getLogs: Command<'getLogs'> = {
  async run(_, { io }) {
    const text = String(await epic(io, '/log', { as: 'text', maxBytes: maxLogBytes }))
    return { log: text.slice(-maxLog), complete: text.length <= maxLog }
  },
  settleMs: 0,
}

const updateName = 'update.zip'

/** The settings are kept. The password is tried with a harmless write first: the file is sent once. */
async function upload(io: Io, input: CommandInput<'updateFirmware'>, before: Telemetry) {
  const size = await verifiedSize(input)
  const blinks = before.led === 'blink'
  const password = await withPassword(io, async (each) =>
    throwIfRefused(await epic(io, '/identify', { json: { param: blinks, password: each } })),
  )
  const texts = { password, checksum: input.sha256, keepsettings: 'true' }
  const raw = multipartFile({ name: updateName, path: input.path, size, filename: updateName }, texts)
  throwIfRefused(await epic(io, '/systemupdate', { method: 'POST', raw }))
}

export const epicCommands: Commands = {
  reboot: { run: (_, { io }) => epicWriteAndLeave(io, '/reboot', 0), ...shown.reboot },
  restartMiner: { run: (_, { io }) => epicWriteAndLeave(io, '/softreboot'), ...shown.restartMiner },
  suspend: { run: (_, { io }) => epicWrite(io, '/miner', 'Stop'), ...shown.suspend },
  resume: { run: (_, { io }) => epicWrite(io, '/miner', 'Autostart'), ...shown.resume },
  setLed: { run: ({ on }, { io }) => epicWrite(io, '/identify', on), ...shown.setLed },
  setPools,
  setFan,
  setHashrateTarget,
  setPowerLimit,
  setPassword,
  getLogs,
  updateFirmware: { run: (input, { io, before }) => upload(io, input, before), ...shown.updateFirmware },
}
