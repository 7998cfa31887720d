import { type CommandInput, SdkError } from '#model'
import type { Command, Model } from '../define.js'
import { isLiquid } from '../hardware/whatsminer.js'
import { hasNetwork, hasPools, isLess } from '../kit/shown.js'

/** What a Whatsminer can take, checked before anything is sent (protocols/whatsminer.md §1.5, §2.4), and how it shows that it took it. */

/** The value that takes a power limit away, W. */
const noPowerLimit = 99_999
const liquidMaxPercent = 200
const airMaxPercent = 100
const passwordPattern = /^[A-Za-z0-9_]{1,8}$/

function refuse(what: string): never {
  throw new SdkError('BAD_REQUEST', what)
}

function cooled(model: Model): string {
  return isLiquid(model) ? 'a liquid-cooled model' : 'an air-cooled model'
}

export function checkPowerLimit({ watts }: CommandInput<'setPowerLimit'>, model: Model) {
  if (watts === noPowerLimit) return
  if (watts < 1) refuse('the power limit must be at least 1 W; 99999 takes it away')
  if (model.maxPowerW !== undefined && watts > model.maxPowerW)
    refuse(`this model takes up to ${model.maxPowerW} W, not ${watts} W`)
}

export function checkPowerPercent({ percent }: CommandInput<'setPowerPercent'>, model: Model) {
  const max = isLiquid(model) ? liquidMaxPercent : airMaxPercent
  if (percent < 1 || percent > max) refuse(`${cooled(model)} takes 1 to ${max} %, not ${percent} %`)
}

export function checkFrequencyPercent({ percent }: CommandInput<'setFrequencyPercent'>, model: Model) {
  if (!isLiquid(model) && percent > 0) refuse(`${cooled(model)} takes -100 to 0 %, not ${percent} %`)
}

export function checkFan(input: CommandInput<'setFan'>, model: Model) {
  if (isLiquid(model)) refuse('a liquid-cooled model has no fans of its own')
  const { mode, dutyPct, targetTempC, minFans } = input
  if ([mode, dutyPct, targetTempC, minFans].some((each) => each !== undefined))
    refuse('this firmware controls its fans itself: tempOffsetC, zeroSpeed and coolWhenOff can be set')
}

export function checkPassword({ password }: CommandInput<'setPassword'>) {
  if (!passwordPattern.test(password)) refuse('the password must have 1 to 8 characters of A-Z, a-z, 0-9 and _')
}

const rebootMs = 240_000
const restartMs = 150_000
const settingMs = 30_000

/** How each change shows, the same for both API generations. */
export const shown = {
  reboot: { settleMs: rebootMs, settled: (now, _, before) => isLess(now.uptimeS, before.uptimeS) },
  restartMiner: { settleMs: restartMs, settled: (now, _, before) => isLess(now.miningUptimeS, before.miningUptimeS) },
  suspend: { settleMs: settingMs, settled: (now) => now.asleep === true },
  resume: { settleMs: settingMs, settled: (now) => now.asleep === false },
  setPowerMode: {
    settleMs: restartMs,
    settled: (now, { mode }) =>
      mode === 'sleep' ? now.asleep === true : now.tuning?.mode === mode && now.asleep !== true,
  },
  setPowerLimit: {
    settleMs: restartMs,
    settled: (now, { watts }, before) =>
      watts === noPowerLimit ? isLess(now.miningUptimeS, before.miningUptimeS) : now.powerLimitW === watts,
  },
  setPowerPercent: { settleMs: settingMs, settled: (now, { percent }) => now.tuning?.percent === percent },
  setFrequencyPercent: {
    settleMs: restartMs,
    // Where the percent is not reported, the restart of mining that comes with it is.
    settled: (now, { percent }, before) =>
      now.tuning?.frequencyPct == null
        ? isLess(now.miningUptimeS, before.miningUptimeS)
        : now.tuning.frequencyPct === percent,
  },
  setPools: { settleMs: settingMs, settled: (now, input) => hasPools(now, input) },
  setLed: { settleMs: settingMs, settled: (now, { on }) => now.led === (on ? 'blink' : 'off') },
  setHostname: { settleMs: settingMs, settled: (now, { hostname }) => now.hostname === hostname },
  setNetwork: { settleMs: rebootMs, settled: (now, input) => hasNetwork(now, input) },
} as const satisfies { [N in keyof CommandsShown]: CommandsShown[N] }

type CommandsShown = {
  [N in
    | 'reboot'
    | 'restartMiner'
    | 'suspend'
    | 'resume'
    | 'setPowerMode'
    | 'setPowerLimit'
    | 'setPowerPercent'
    | 'setFrequencyPercent'
    | 'setPools'
    | 'setLed'
    | 'setHostname'
    | 'setNetwork']: Required<Pick<Command<N>, 'settled' | 'settleMs'>>
}
