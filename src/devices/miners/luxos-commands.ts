import { SdkError } from '#model'
import type { Command, Commands, CommandVisit, Preset } from '../define.js'
import type { Io } from '../io.js'
import { checkFanInput, checkRange } from '../kit/limits.js'
import { luxAsk } from '../kit/luxos.js'
import { inSession } from '../kit/luxos-session.js'
import { hasPreset, presetReaching, presetsOf, presetWithin } from '../kit/presets.js'
import { settleMs, shown } from '../kit/shown.js'
import { parseAtm, parseProfiles } from './luxos-config.js'
import { setPools } from './luxos-pools.js'

/** What LuxOS can be told (protocols/luxos.md §3). Not among it: network and log server, whose parameters are not known, and a firmware file. */

/** One command within a session. */
const order =
  (command: string, ...parameters: readonly (string | number)[]) =>
  (_: unknown, { io }: CommandVisit): Promise<void> =>
    inSession(io, (write) => write(command, ...parameters)).then(none)
/** One after which mining, or the controller, starts anew: the session ends with it. */
const leaving =
  (command: string) =>
  (_: unknown, { io }: CommandVisit): Promise<void> =>
    inSession(io, (write) => write(command), { leaves: true }).then(none)
const none = () => undefined

/**
 * Sets a profile. The firmware's own thermal steering (ATM) would undo it meanwhile: it is off for the moment, and on again in any case.
 */
async function setProfile(io: Io, name: string) {
  const isSteered = await atmEnabled(io)
  await inSession(io, async (write) => {
    if (isSteered) await write('atmset', 'enabled=false')
    try {
      await write('profileset', name)
    } finally {
      if (isSteered) await write('atmset', 'enabled=true')
    }
  })
}

async function atmEnabled(io: Io): Promise<boolean> {
  try {
    return parseAtm(await luxAsk(io, { command: 'atm' })) === true
  } catch (error) {
    if (error instanceof SdkError && error.code === 'DEVICE_UNSUPPORTED') return false
    throw error
  }
}

/** The present presets are asked anew: what they are called now is what is set. */
async function setPreset(io: Io, wanted: (presets: readonly Preset[]) => Preset | undefined) {
  const preset = wanted(parseProfiles(await luxAsk(io, { command: 'profiles' })))
  if (!preset) throw new SdkError('DEVICE_REFUSED', 'none of its profiles fits any more; nothing was set')
  await setProfile(io, preset.name)
}

const setPowerLimit: Command<'setPowerLimit'> = {
  check({ watts }, _, before) {
    presetsOf(before)
    checkRange('power limit', watts, 'W', before.limits?.powerW)
  },
  run: ({ watts }, { io }) => setPreset(io, (presets) => presetWithin(presets, watts)),
  settled: (now, { watts }) => hasPreset(now, (presets) => presetWithin(presets, watts)),
  settleMs: settleMs.restart,
}

const setHashrateTarget: Command<'setHashrateTarget'> = {
  check({ ths }, _, before) {
    presetsOf(before)
    const [low, high] = before.limits?.hashrateThs ?? []
    checkRange(
      'hashrate target',
      ths,
      'TH/s',
      low === undefined || high === undefined ? undefined : [Math.min(1, low), high],
    )
  },
  run: ({ ths }, { io }) => setPreset(io, (presets) => presetReaching(presets, ths)),
  settled: (now, { ths }) => hasPreset(now, (presets) => presetReaching(presets, ths)),
  settleMs: settleMs.restart,
}

/** Its profiles have steps: 0 is the normal one. What is low or high is told in watts. */
const setPowerMode: Command<'setPowerMode'> = {
  check({ mode }) {
    if (mode === 'low' || mode === 'high')
      throw new SdkError(
        'DEVICE_UNSUPPORTED',
        `this firmware has no mode ${mode}; set a power limit or a hashrate target`,
      )
  },
  async run({ mode }, { io, before }) {
    if (mode === 'sleep') return void (await inSession(io, (write) => write('curtail', 'sleep')))
    const profiles = parseProfiles(await luxAsk(io, { command: 'profiles' }))
    const normal = profiles.find(({ step }) => step === 0)
    if (!normal) throw new SdkError('DEVICE_UNSUPPORTED', 'its list of profiles has no normal one')
    if (before.asleep) await inSession(io, (write) => write('curtail', 'wakeup'))
    await setProfile(io, normal.name)
  },
  ...shown.setPowerMode,
}

const auto = -1
/** So near is the same, in percent. */
const tolerancePct = 2

const setFan: Command<'setFan'> = {
  check(input, model) {
    if (model.fans === 0) throw new SdkError('DEVICE_UNSUPPORTED', 'this model has no fans')
    checkFanInput(input, ['mode', 'dutyPct', 'targetTempC', 'minFans'])
    if (input.minFans !== undefined && model.fans !== undefined && input.minFans > model.fans)
      throw new SdkError('BAD_REQUEST', `this model has ${model.fans} fans, not ${input.minFans}`)
  },
  run: ({ mode, dutyPct, targetTempC, minFans }, { io }) =>
    inSession(io, async (write) => {
      const speed = dutyPct ?? (mode === 'auto' || targetTempC !== undefined ? auto : undefined)
      const settings = [
        ...(speed === undefined ? [] : [`speed=${speed}`]),
        ...(minFans === undefined ? [] : [`min_fans=${minFans}`]),
      ]
      if (settings.length > 0) await write('fanset', ...settings)
      // What is left empty stays as it is.
      if (targetTempC !== undefined) await write('tempctrlset', targetTempC, '', '')
    }),
  settled({ fanSetting, fans = [] }, { mode, dutyPct, targetTempC, minFans }) {
    if (minFans !== undefined && fanSetting?.minFans !== minFans) return false
    if (targetTempC !== undefined && fanSetting?.targetTempC !== targetTempC) return false
    if (dutyPct === undefined) return mode === undefined || fanSetting?.mode === 'auto'
    return fans.length > 0 && fans.every((fan) => Math.abs((fan.dutyPct ?? -100) - dutyPct) <= tolerancePct)
  },
  settleMs: settleMs.setting,
}

export const luxosCommands: Commands = {
  reboot: { run: leaving('rebootdevice'), ...shown.reboot },
  restartMiner: { run: leaving('resetminer'), ...shown.restartMiner },
  suspend: { run: order('curtail', 'sleep'), ...shown.suspend },
  resume: { run: order('curtail', 'wakeup'), ...shown.resume },
  setPowerMode,
  setPowerLimit,
  setHashrateTarget,
  setPools,
  setLed: {
    run: ({ on }, { io }) => inSession(io, (write) => write('ledset', 'red', on ? 'blink' : 'auto')).then(none),
    ...shown.setLed,
  },
  setFan,
  factoryReset: { run: leaving('resetconfig'), settleMs: 0 },
}
