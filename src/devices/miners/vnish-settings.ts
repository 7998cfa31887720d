import { SdkError } from '#model'
import type { Command } from '../define.js'
import type { Io } from '../io.js'
import { bool, type Fields, fields, rows, str } from '../kit/json.js'
import { checkAccount, checkFanInput, checkRange } from '../kit/limits.js'
import { hasPreset, presetReaching, presetsOf, presetWithin } from '../kit/presets.js'
import { addressOf, hasPoolsByAddress, settleMs, shown } from '../kit/shown.js'
import { unlock, vnish, vnishPost, vnishRest } from '../kit/vnish.js'
import { parseSettings } from './vnish-setup.js'

/** Settings of VNish (protocols/vnish.md §4): a part of `settings` is written; it answers that it took it even when it did not. */

async function settings(io: Io): Promise<Fields> {
  return parseSettings(await vnish(io, { path: 'settings' }))
}

/** Writes a part; mining starts anew where the firmware says that it has to. */
async function change(io: Io, part: object): Promise<void> {
  const answer = fields(await vnishPost(io, 'settings', part))
  if (bool(answer.restart_required) === true) await vnishPost(io, 'mining/restart')
}

/** The preset, and the ends between which the firmware steps by itself: it would climb above the limit again. */
async function setPreset(io: Io, name: string) {
  const overclock = fields(fields((await settings(io)).miner).overclock)
  const switcher = fields(overclock.preset_switcher)
  const steps = bool(switcher.enabled) === true
  const isBelow = steps && Number(switcher.min_preset) > Number(name)
  const ends = { top_preset: name, ...(isBelow ? { min_preset: name } : {}) }
  await change(io, {
    miner: {
      overclock: { ...overclock, preset: name, ...(steps ? { preset_switcher: { ...switcher, ...ends } } : {}) },
    },
  })
}

export const setPowerLimit: Command<'setPowerLimit'> = {
  check({ watts }, _, before) {
    presetsOf(before)
    checkRange('power limit', watts, 'W', before.limits?.powerW)
  },
  run: ({ watts }, { io, before }) => setPreset(io, presetWithin(presetsOf(before), watts)!.name),
  settled: (now, { watts }) => hasPreset(now, (presets) => presetWithin(presets, watts)),
  settleMs: settleMs.restart,
}

export const setHashrateTarget: Command<'setHashrateTarget'> = {
  check({ ths }, _, before) {
    presetsOf(before)
    const high = before.limits?.hashrateThs?.[1]
    checkRange('hashrate target', ths, 'TH/s', high === undefined ? undefined : [1, high])
  },
  async run({ ths }, { io, before }) {
    const preset = presetReaching(presetsOf(before), ths)
    if (!preset) throw new SdkError('DEVICE_UNSUPPORTED', 'its presets do not say what they bring; set a power limit')
    await setPreset(io, preset.name)
  },
  settled: (now, { ths }) => hasPreset(now, (presets) => presetReaching(presets, ths)),
  settleMs: settleMs.restart,
}

/** It has exactly three places; an empty one is written empty. */
const places = 3

export const setPools: Command<'setPools'> = {
  async run({ pools }, { io }) {
    const present = rows(fields((await settings(io)).miner).pools)
    // A pool that stays keeps its password.
    const passOf = (url: string, user: string) =>
      str(present.find((pool) => addressOf(str(pool.url) ?? '') === addressOf(url) && pool.user === user)?.pass)
    const list = pools.map(({ url, user, password }) => ({ url, user, pass: password ?? passOf(url, user) ?? 'x' }))
    const empty = Array.from({ length: places - list.length }, () => ({ url: '', user: '', pass: '' }))
    await change(io, { miner: { pools: [...list, ...empty] } })
  },
  settled: hasPoolsByAddress,
  settleMs: settleMs.restart,
}

export const setFan: Command<'setFan'> = {
  check(input, model, { limits }) {
    if (model.fans === 0) throw new SdkError('DEVICE_UNSUPPORTED', 'this model has no fans')
    checkFanInput(input, ['mode', 'dutyPct', 'targetTempC', 'minFans'])
    if (input.dutyPct !== undefined) checkRange('fan duty', input.dutyPct, '%', limits?.fanDutyPct)
    if (input.targetTempC !== undefined) checkRange('target', input.targetTempC, '°C', limits?.targetTempC)
    if (input.minFans !== undefined && model.fans !== undefined)
      checkRange('number of fans', input.minFans, 'fans', [0, model.fans])
  },
  async run({ mode, dutyPct, targetTempC, minFans }, { io, before }) {
    const cooling = fields(fields((await settings(io)).miner).cooling)
    const target = targetTempC ?? before.fanSetting?.targetTempC
    if (dutyPct === undefined && mode === 'auto' && target === undefined)
      throw new SdkError('BAD_REQUEST', 'the automatic mode needs targetTempC here: none is set')
    const isAuto = mode === 'auto' || targetTempC !== undefined
    const next =
      dutyPct !== undefined ? { name: 'manual', param: dutyPct } : isAuto ? { name: 'auto', param: target } : undefined
    await change(io, {
      miner: {
        cooling: {
          ...cooling,
          ...(next === undefined ? {} : { mode: next }),
          ...(minFans === undefined ? {} : { fan_min_count: minFans }),
        },
      },
    })
  },
  settled({ fanSetting }, { mode, dutyPct, targetTempC, minFans }) {
    if (minFans !== undefined && fanSetting?.minFans !== minFans) return false
    if (dutyPct !== undefined) return fanSetting?.mode === 'manual' && fanSetting.dutyPct === dutyPct
    if (targetTempC !== undefined && fanSetting?.targetTempC !== targetTempC) return false
    return mode === undefined || fanSetting?.mode === 'auto'
  },
  settleMs: settleMs.restart,
}

export const setNetwork: Command<'setNetwork'> = {
  run(input, { io }) {
    const name = input.hostname === undefined ? {} : { hostname: input.hostname }
    const address = input.dhcp
      ? { dhcp: true }
      : {
          dhcp: false,
          ipaddress: input.ip,
          netmask: input.netmask,
          gateway: input.gateway,
          dnsservers: input.dns,
        }
    return change(io, { network: { ...address, ...name } })
  },
  ...shown.setNetwork,
}

export const setHostname: Command<'setHostname'> = {
  run: ({ hostname }, { io }) => change(io, { network: { hostname } }),
  ...shown.setHostname,
}

/** The zones that it has it says itself. */
export const setTimezone: Command<'setTimezone'> = {
  async run({ timezone }, { io }) {
    const known = fields(fields((await settings(io)).ui).consts).timezones
    const names = Array.isArray(known) ? known.map((each) => str(Array.isArray(each) ? each[0] : each)) : []
    if (names.length > 0 && !names.includes(timezone))
      throw new SdkError(
        'BAD_REQUEST',
        `this firmware has no time zone ${timezone}; it has ${names.slice(0, 40).join(', ')}`,
      )
    await change(io, { regional: { timezone: { current: timezone } } })
    const now = str(fields(fields((await settings(io)).regional).timezone).current)
    if (now !== timezone) throw new SdkError('READ_BACK_FAILED', `it took the time zone, but still shows ${now}`)
    return { verified: `its settings show ${timezone}` }
  },
  settleMs: 0,
}

export const setPassword: Command<'setPassword'> = {
  check: ({ account }) => checkAccount(account, 'admin'),
  async run({ password }, { io }) {
    await vnish(io, { path: 'settings' })
    const present = vnishRest.account(io)?.password
    if (present === undefined) throw new SdkError('DEVICE_AUTH', 'its present password is needed to change it')
    await vnishPost(io, 'settings', { password: { current: present, pw: password } })
    vnishRest.forget(io)
    if ((await unlock(io, password)) === undefined)
      throw new SdkError('READ_BACK_FAILED', 'it took the new password, but does not let us in with it')
    return { verified: 'the new password was used to sign in; set it as the credentials of this device' }
  },
  settleMs: 0,
}
