import type { Board, DeviceError, Tuning } from '#model'
import type { DeviceLimits, Model } from '../define.js'
import { type Fields, num, str } from '../kit/json.js'
import { rangeOfPresets } from '../kit/presets.js'
import { defined, words } from '../kit/values.js'
import type { Profile, TempCtrl } from './luxos-config.js'
import { isAsleep } from './luxos-config.js'
import type { BoardTemps, ChipHealth, Dev, Stats } from './luxos-replies.js'

export interface Others {
  readonly config?: Fields
  readonly devs?: readonly Dev[]
  readonly stats?: Stats
  readonly temps?: ReadonlyMap<number, BoardTemps>
  readonly profiles?: readonly Profile[]
  readonly voltages?: ReadonlyMap<number, number>
  readonly chips?: ReadonlyMap<number, ChipHealth>
  readonly tempctrl?: TempCtrl
}

/** `devs` names the boards; without it `stats` tells which chains have chips. */
export function boardsOf(all: Others): Board[] | undefined {
  const slots = all.devs?.map(({ slot }) => slot) ?? all.stats?.chains.map(({ slot }) => slot) ?? []
  if (slots.length === 0) return undefined
  return slots.map((slot) => boardOf(slot, all))
}

function boardOf(slot: number, all: Others): Board {
  const dev = all.devs?.find((each) => each.slot === slot)
  const chain = all.stats?.chains.find((each) => each.slot === slot)
  const temps = all.temps?.get(slot)
  const profile = profileOf(all.profiles, dev?.profile)
  const isResting = all.config !== undefined && isAsleep(all.config) === true
  return {
    slot,
    ...defined({
      serial: dev?.serial,
      status: dev?.isOff ? ('disabled' as const) : dev?.isDead && !isResting ? ('error' as const) : undefined,
      hashrateThs: dev?.rateThs ?? chain?.rateThs,
      expectedHashrateThs: dev?.nominalThs,
      chips: chain?.chips,
      frequencyMhz: chain?.frequencyMhz,
      voltageV: all.voltages?.get(slot) ?? profile?.voltageV,
      boardTempC: temps?.hottestC ?? dev?.temperatureC,
      inletTempC: temps?.inletC,
      outletTempC: temps?.outletC,
      hwErrors: dev?.hwErrors,
      tuned: profile?.isTuned,
      chipMap: all.chips?.get(slot)?.map ?? chain?.chipMap,
    }),
  }
}

function profileOf(profiles: readonly Profile[] | undefined, name: string | undefined): Profile | undefined {
  return name === undefined ? undefined : profiles?.find((profile) => profile.name === name)
}

/** The profile that is set: by its name, or by its step where the miner writes the name in another way. */
function profileNow(config: Fields, profiles: readonly Profile[] | undefined): Profile | undefined {
  const step = num(config.ProfileStep)
  return (
    profileOf(profiles, str(config.Profile)) ??
    (step === undefined ? undefined : profiles?.find((profile) => profile.step === step))
  )
}

export function tuningOf(config: Fields, { profiles }: Others): Tuning | undefined {
  const profile = profileNow(config, profiles)
  const step = profile?.step ?? num(config.ProfileStep)
  const tuning = defined({
    mode: isAsleep(config) ? ('sleep' as const) : step === undefined ? undefined : step === 0 ? 'normal' : 'custom',
    targetW: profile?.watts,
    targetThs: profile?.ths,
    preset: profile?.name ?? words(config.Profile, 32),
    tuned: profile?.isTuned,
  } as const)
  return Object.keys(tuning).length > 0 ? tuning : undefined
}

export function limitsOf(profiles: readonly Profile[]): DeviceLimits | undefined {
  if (profiles.length === 0) return undefined
  const presets = profiles.map(({ name, watts, ths }) => ({ name, ...defined({ watts, ths }) }))
  return {
    presets,
    ...defined({ powerW: rangeOfPresets(presets, 'watts'), hashrateThs: rangeOfPresets(presets, 'ths') }),
  }
}

/** An immersion build is the same hardware without fans. */
export function variantOf(config: Fields): 'immersion' | undefined {
  const said = `${config.ImmersionMode === true ? 'immersion' : ''} ${str(config.Cooling) ?? ''}`
  return /immersion/i.test(said) ? 'immersion' : undefined
}

/** A share of bad chips from which the board is in danger. */
const manyChips = 0.03

/** What follows from the states and values that LuxOS gives beside its events. */
export function stateErrors(config: Fields | undefined, all: Others, model: Model): DeviceError[] {
  return [...systemErrors(config), ...heatErrors(all), ...chipErrors(all, model)]
}

function systemErrors(config: Fields | undefined): DeviceError[] {
  const errors: DeviceError[] = []
  const state = words(config?.SystemStatus, 64)
  const fee = words(config?.FeeStatus, 64)
  if (state !== undefined && !/^(normal|ok)$/i.test(state))
    errors.push({
      code: 'system-status',
      vendorCode: state,
      severity: 'high',
      component: 'device',
      message: `The firmware says that its state is "${state}".`,
      action: 'Look at its events and its log; restart mining, then reboot.',
    })
  if (fee !== undefined && !/^(ok|normal|none)$/i.test(fee))
    errors.push({
      code: 'fee',
      vendorCode: fee,
      severity: 'low',
      component: 'pool',
      message: `The firmware cannot mine its fee: ${fee}.`,
      cause: 'The pool of the fee cannot be reached; the firmware may stop mining over it.',
      action: 'Let the miner reach the Internet addresses of its firmware.',
    })
  return errors
}

function heatErrors({ config, devs, temps, tempctrl }: Others): DeviceError[] {
  if (tempctrl?.hotC === undefined || (config && isAsleep(config))) return []
  const { hotC, dangerousC = Number.POSITIVE_INFINITY } = tempctrl
  return (devs ?? []).flatMap(({ slot, temperatureC }): DeviceError[] => {
    const celsius = temps?.get(slot)?.hottestC ?? temperatureC
    if (celsius === undefined || celsius < hotC) return []
    const isDangerous = celsius >= dangerousC
    return [
      {
        code: 'board-hot',
        severity: isDangerous ? 'critical' : 'high',
        component: 'board',
        index: slot,
        message: `Board ${slot} has ${celsius} °C; the limit that is set is ${isDangerous ? dangerousC : hotC} °C.`,
        cause: 'Air or coolant too warm, fans or flow too weak.',
        action: 'Check cooling and dust; set a lower power limit.',
      },
    ]
  })
}

function chipErrors({ chips }: Others, model: Model): DeviceError[] {
  return [...(chips ?? [])].flatMap(([board, { bad, map }]): DeviceError[] => {
    if (bad.length === 0) return []
    const all = model.chips ?? map.length
    const named = bad.length <= 8 ? ` (${bad.join(', ')})` : ''
    return [
      {
        code: 'chips-unhealthy',
        severity: bad.length > all * manyChips ? 'medium' : 'low',
        component: 'chip',
        index: board,
        message: `${bad.length} of ${all} chips of board ${board} are unhealthy${named}.`,
        cause: 'They do less than their frequency should bring.',
        action: 'Watch the board; set a lower power limit, have it repaired when more follow.',
      },
    ]
  })
}
