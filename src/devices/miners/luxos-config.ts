import type { Network, Psu } from '#model'
import type { FanSetting } from '../define.js'
import { section } from '../kit/cgminer.js'
import { bool, type Fields, num, str } from '../kit/json.js'
import { count, defined, positive, temperature, words } from '../kit/values.js'
import { type Fans, first, placeOf } from './luxos-replies.js'

/** How a miner with LuxOS is set (protocols/luxos.md §4): its configuration, profiles, groups and thermal steering. */

export interface Profile {
  readonly name: string
  readonly step?: number
  readonly watts?: number
  readonly ths?: number
  readonly voltageV?: number
  readonly isTuned?: boolean
}

const maxProfiles = 256

export function parseProfiles(reply: unknown): Profile[] {
  return section(reply, 'PROFILES')
    .slice(0, maxProfiles)
    .flatMap((row) => {
      const name = words(row['Profile Name'] ?? row.Profile, 32)
      if (name === undefined) return []
      return [
        {
          name,
          ...defined({
            step: num(row.Step),
            watts: positive(num(row.Watts)),
            ths: positive(num(row.Hashrate)),
            voltageV: positive(num(row.Voltage)),
            isTuned: bool(row.IsTuned),
          }),
        },
      ]
    })
}

export interface Group {
  readonly id: number
  readonly quota?: number
}

export function parseGroups(reply: unknown): Group[] {
  return section(reply, 'GROUPS').flatMap((row) => {
    const id = placeOf(row.GROUP)
    return id === undefined ? [] : [{ id, ...defined({ quota: count(row.Quota) }) }]
  })
}

export interface TempCtrl {
  readonly mode?: string
  readonly targetC?: number
  readonly hotC?: number
  readonly dangerousC?: number
}

export function parseTempCtrl(reply: unknown): TempCtrl {
  const control = first(reply, 'TEMPCTRL')
  return defined({
    mode: words(control.Mode, 16)?.toLowerCase(),
    targetC: temperature(control.Target),
    hotC: temperature(control.Hot),
    dangerousC: temperature(control.Dangerous),
  })
}

export function parseAtm(reply: unknown): boolean | undefined {
  return bool(first(reply, 'ATM').Enabled)
}

export function fanSettingOf({ mode, targetC }: TempCtrl, fans: Fans | undefined): FanSetting | undefined {
  if (mode !== 'automatic' && mode !== 'manual') return undefined
  return {
    mode: mode === 'manual' ? 'manual' : 'auto',
    ...defined({
      targetTempC: targetC,
      minFans: fans?.minFans,
      dutyPct: mode === 'manual' ? (fans?.fans[0]?.dutyPct ?? undefined) : undefined,
    }),
  }
}

/** It was told to rest, or its power supply is off. */
export function isAsleep(config: Fields): boolean | undefined {
  const curtail = str(config.CurtailMode)
  const isOn = bool(config.IsPowerSupplyOn)
  if (curtail === undefined && isOn === undefined) return undefined
  return isOn === false || (curtail !== undefined && !/^none$/i.test(curtail))
}

export function ledOf(config: Fields): 'on' | 'off' | 'blink' | undefined {
  const leds = [config.RedLed, config.GreenLed].map((led) => str(led)?.toLowerCase()).filter((led) => led !== undefined)
  if (leds.length === 0) return undefined
  if (leds.includes('blink')) return 'blink'
  return leds.includes('on') ? 'on' : 'off'
}

export function networkOf(config: Fields): Network | undefined {
  const ip = words(config.IPAddr, 64)
  if (ip === undefined) return undefined
  const dns = str(config['DNS Servers'])
    ?.split(/[\s,;]+/)
    .filter((each) => each !== '')
  return defined({
    dhcp: bool(config.DHCP),
    ip,
    netmask: words(config.Netmask, 64),
    gateway: words(config.Gateway, 64),
    dns: dns?.slice(0, 8).map((each) => each.slice(0, 64)),
  })
}

export function psuOf(config: Fields): Psu | undefined {
  const psu = defined({ model: words(config.PSULabel, 64), version: words(config.PSUHwVersion, 64) })
  return Object.keys(psu).length > 0 ? psu : undefined
}
