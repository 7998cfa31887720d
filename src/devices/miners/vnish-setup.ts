import { SdkError } from '#model'
import type { DeviceLimits, FanSetting, Preset } from '../define.js'
import { bool, type Fields, fields, isObject, num, rows, str } from '../kit/json.js'
import { rangeOfPresets } from '../kit/presets.js'
import { count, defined, object, positive, words } from '../kit/values.js'

/** How a miner with VNish is set (protocols/vnish.md §3): its presets and its settings. */

/** `2800 watt ~ 188 TH` behind the name `2800`; `disabled` is none. */
function presetOf(row: Fields): Preset | undefined {
  const name = words(row.name, 32)
  if (name === undefined || /^disabled$/i.test(name)) return undefined
  const pretty = str(row.pretty)?.slice(0, 80) ?? ''
  return {
    name,
    ...defined({
      watts: positive(num(/([\d.]+)\s*w/i.exec(pretty)?.[1]) ?? num(name)),
      ths: positive(num(/([\d.]+)\s*TH/i.exec(pretty)?.[1])),
    }),
  }
}

const maxPresets = 256

/** Those that this power supply bears. */
export function parsePresets(reply: unknown): Preset[] {
  if (!Array.isArray(reply)) throw new SdkError('DEVICE_BAD_REPLY', 'the reply is no list of presets')
  return rows(reply)
    .slice(0, maxPresets)
    .filter((row) => bool(row.modded_psu_required) !== true)
    .map(presetOf)
    .filter((preset) => preset !== undefined)
}

export interface Perf {
  readonly preset?: Preset
  /** As the miner calls it, also where there is none. */
  readonly name?: string
  readonly tuned?: boolean
}

export function parsePerf(reply: unknown): Perf {
  const current = fields(object(reply, 'perf-summary').current_preset)
  const status = str(current.status)
  return defined({
    preset: presetOf(current),
    name: words(current.name, 32),
    tuned: status === undefined ? undefined : status.toLowerCase() === 'tuned',
  })
}

/** `settings` as they are: they are written back as a whole. */
export function parseSettings(reply: unknown): Fields {
  const settings = object(reply, 'settings')
  if (!isObject(settings.miner)) throw new SdkError('DEVICE_BAD_REPLY', 'the settings have no miner')
  return settings
}

export function fanSettingOf(settings: Fields): FanSetting | undefined {
  const cooling = fields(fields(settings.miner).cooling)
  const { name, param } = fields(cooling.mode)
  const mode = str(name)?.toLowerCase()
  const minFans = count(cooling.fan_min_count)
  if (mode === 'auto') return { mode, ...defined({ targetTempC: num(param), minFans }) }
  if (mode === 'manual') return { mode, ...defined({ dutyPct: num(param), minFans }) }
  return mode?.startsWith('immers') ? { mode: 'off' } : undefined
}

/** An immersion build is the same hardware without fans. */
export function variantOf(settings: Fields): 'immersion' | undefined {
  return fanSettingOf(settings)?.mode === 'off' ? 'immersion' : undefined
}

export function limitsOf(presets: readonly Preset[] | undefined, settings: Fields | undefined): DeviceLimits {
  const cooling = fields(fields(fields(settings?.ui).consts).cooling)
  const range = (low: unknown, high: unknown) => {
    const [from, to] = [num(low), num(high)]
    return from === undefined || to === undefined ? undefined : ([from, to] as const)
  }
  return defined({
    presets,
    powerW: presets && rangeOfPresets(presets, 'watts'),
    hashrateThs: presets && rangeOfPresets(presets, 'ths'),
    fanDutyPct: range(cooling.min_fan_pwm, 100),
    targetTempC: range(cooling.min_target_temp, cooling.max_target_temp),
  })
}
