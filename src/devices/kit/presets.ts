import { SdkError } from '#model'
import type { Preset, Range, Telemetry } from '../define.js'

/** Firmwares that take no free target but a ready-made one: which it is for a wish in watts or TH/s. */

/** The highest that draws no more than so much; undefined where even the lowest draws more. */
export function presetWithin(presets: readonly Preset[], watts: number): Preset | undefined {
  return best(presets, ({ watts: draws }) => (draws !== undefined && draws <= watts ? draws : undefined))
}

/** The lowest that brings at least so much; undefined where even the highest brings less. */
export function presetReaching(presets: readonly Preset[], ths: number): Preset | undefined {
  return best(presets, ({ ths: brings }) => (brings !== undefined && brings >= ths ? -brings : undefined))
}

function best(presets: readonly Preset[], worth: (preset: Preset) => number | undefined): Preset | undefined {
  let found: Preset | undefined
  let most = Number.NEGATIVE_INFINITY
  for (const preset of presets) {
    const value = worth(preset)
    if (value === undefined || value <= most) continue
    most = value
    found = preset
  }
  return found
}

export function rangeOfPresets(presets: readonly Preset[], key: 'watts' | 'ths'): Range | undefined {
  const values = presets.map((preset) => preset[key]).filter((value) => value !== undefined)
  return values.length === 0 ? undefined : [Math.min(...values), Math.max(...values)]
}

/** What was read just before; throws DEVICE_BAD_REPLY where it could not be: nothing is set by guess. */
export function presetsOf({ limits }: Telemetry): readonly Preset[] {
  if (limits?.presets && limits.presets.length > 0) return limits.presets
  throw new SdkError('DEVICE_BAD_REPLY', 'its presets could not be read; nothing was set')
}

/** The device now has the preset that this wish means. */
export function hasPreset(now: Telemetry, wanted: (presets: readonly Preset[]) => Preset | undefined): boolean {
  const preset = wanted(now.limits?.presets ?? [])
  return preset !== undefined && now.tuning?.preset === preset.name
}
