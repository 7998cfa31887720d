import { type Board, type DeviceError, type Fan, type PowerMode, SdkError } from '#model'
import type { Model } from '../define.js'
import { section } from '../kit/cgminer.js'
import { bool, type Fields, num, str } from '../kit/json.js'
import { count, defined, highest, macOf, maxParts, object, positive, temperature, tidy, words } from '../kit/values.js'

/** The replies of bdminer and of the pages (protocols/other-firmwares.md): `0 Temp 1` is sensor 1 of board 0. Rates are MH/s. */

export function thsOf(value: unknown): number | undefined {
  const mhs = count(value)
  return mhs === undefined ? undefined : tidy(mhs / 1e6)
}

export const summaryOf = (reply: unknown): Fields => section(reply, 'SUMMARY')[0] ?? {}

/** The first entry has all. Throws DEVICE_BAD_REPLY if there is none. */
export function parseStats(reply: unknown): Fields {
  const stats = section(reply, 'STATS')[0]
  if (!stats) throw new SdkError('DEVICE_BAD_REPLY', 'the stats are empty')
  return stats
}

export function parseVersion(reply: unknown) {
  const version = section(reply, 'VERSION')[0] ?? {}
  return defined({ api: words(version.API, 32), daemon: words(version.BDMiner, 32) })
}

/** The places that have a key of this name, in order. */
function placesOf(stats: Fields, ...names: readonly string[]): number[] {
  const places = new Set<number>()
  for (const key of Object.keys(stats)) {
    const match = /^(\d{1,2}) (.+)$/.exec(key)
    if (match && names.includes(match[2]!) && Number(match[1]) < maxParts) places.add(Number(match[1]))
  }
  return [...places].sort((a, b) => a - b)
}

const sensors = [0, 1, 2, 3] as const

export function boardsOf(stats: Fields): Board[] | undefined {
  const slots = placesOf(stats, 'Chip Count', 'SN', 'MHS(Sample)', 'Online')
  if (slots.length === 0) return undefined
  return slots.map((slot) => {
    const of = (name: string) => stats[`${slot} ${name}`]
    const chips = count(of('Chip Count'))
    const bad = count(of('Bad Chip Count')) ?? 0
    const tune = str(of('Tune Status'))
    return {
      slot,
      ...defined({
        serial: words(of('SN'), 64),
        status: bool(of('Online')) === false ? ('missing' as const) : undefined,
        hashrateThs: thsOf(of('MHS(Sample)')),
        expectedHashrateThs: positive(thsOf(of('MHS(Ideal)'))),
        chips: chips === undefined ? undefined : Math.max(0, chips - bad),
        frequencyMhz: positive(num(of('Freq'))),
        boardTempC: highest(sensors.map((sensor) => temperature(of(`Temp ${sensor}`)))),
        tuned: tune === undefined ? undefined : isTuned(tune),
      }),
    }
  })
}

function isTuned(status: string): boolean {
  return /done/i.test(status)
}

export function isTuning(stats: Fields): boolean | undefined {
  const status = str(stats['Tune Status'])
  return status !== undefined && /tun|rais/i.test(status) && !isTuned(status) ? true : undefined
}

export function fansOf(stats: Fields, model: Model): Fan[] | undefined {
  const fans = placesOf(stats, 'Speed').map((index) => ({
    index,
    ...defined({ rpm: count(stats[`${index} Speed`]) }),
  }))
  if (fans.length === 0 || (model.fans === 0 && fans.every(({ rpm }) => !rpm))) return model.fans === 0 ? [] : undefined
  return fans
}

/** The states of its power management in which it was told to rest. */
export function isAsleep(stats: Fields): boolean | undefined {
  const state = str(stats['PM State'])
  return state === undefined ? undefined : /sleep|suspend|standby|stop/i.test(state)
}

export function variantOf(stats: Fields): 'air' | 'liquid' | undefined {
  const liquid = bool(stats['Liquid Cooling'])
  return liquid === undefined ? undefined : liquid ? 'liquid' : 'air'
}

const modeNames: Readonly<Record<string, PowerMode>> = {
  low: 'low',
  lowpower: 'low',
  normal: 'normal',
  high: 'high',
  highperformance: 'high',
  custom: 'custom',
}

export function modeOf(stats: Fields): PowerMode | undefined {
  const name = (str(stats['Mining Mode']) ?? '').toLowerCase().replace(/[^a-z]/g, '')
  return Object.hasOwn(modeNames, name) ? modeNames[name] : undefined
}

export interface Info {
  readonly firmware?: string
  readonly model?: string
  readonly mac?: string
  readonly serial?: string
  readonly controlBoard?: string
  readonly psu?: string
  readonly led?: 'on' | 'off'
  readonly dhcp?: boolean
  readonly ip?: string
  /** The number that the firmware has for each mode. */
  readonly modes: { readonly low?: number; readonly normal?: number; readonly high?: number; readonly custom?: number }
  readonly mode?: number
}

export function parseInfo(reply: unknown): Info {
  const info = object(reply, 'get_system_info')
  const led = bool(info.led)
  return {
    modes: defined({
      low: num(info.low_power),
      normal: num(info.normal),
      high: num(info.high_performance),
      custom: num(info.custom),
    }),
    ...defined({
      firmware: words(info.firmware_version, 64),
      model: words(info.miner_type, 32),
      mac: macOf(info.macaddr),
      serial: words(info.crtl_sn ?? info.ctrl_sn, 64),
      controlBoard: words(info.ctrl_version, 64),
      psu: words(info.psu_model, 64),
      led: led === undefined ? undefined : led ? ('on' as const) : ('off' as const),
      dhcp: bool(info.DHCP),
      ip: words(info.ipaddress, 64),
      mode: num(info.miningMode),
    }),
  }
}

export function modeOfInfo({ mode, modes }: Info): PowerMode | undefined {
  return (Object.keys(modes) as (keyof typeof modes)[]).find((name) => modes[name] === mode)
}

export function parsePsu(reply: unknown) {
  const psu = object(reply, 'psu-status')
  return defined({
    powerW: positive(num(psu.Power)),
    voltageV: positive(num(psu.Voltage)),
    currentA: positive(num(psu.Current)),
    temperatureC: temperature(psu.Temp),
    code: words(psu.StatusCode, 32),
    online: bool(psu.Online),
  })
}
export type PsuStatus = ReturnType<typeof parsePsu>

/** A word of bits as hex: 0 is well. */
const isClear = (code: string | undefined) => code === undefined || /^(0x)?0*$/i.test(code)

/** Everything that is said to be wrong. The codes have no public list: they are given as they are. */
export function sealErrors(stats: Fields, psu: PsuStatus | undefined): DeviceError[] {
  const found: DeviceError[] = []
  const code = words(stats['Error Code'], 64)
  const chip = words(stats['Error Chip'], 64)
  if (code !== undefined && !isClear(code))
    found.push({
      code: 'vendor-error',
      vendorCode: code,
      severity: 'high',
      component: 'device',
      message: `The miner reports error ${code}.`,
      action: 'Look at its log and its boards; reboot; ask the vendor for this code if it stays.',
    })
  if (chip !== undefined && !isClear(chip))
    found.push({
      code: 'chip-fault',
      vendorCode: chip,
      severity: 'medium',
      component: 'chip',
      message: `The miner reports a bad chip: ${chip}.`,
      action: 'Look at the board; have it repaired when its hashrate is low.',
    })
  const [word] = [words(stats['PSU Error'], 32), psu?.code].filter((each) => !isClear(each))
  if (word !== undefined)
    found.push({
      code: 'psu',
      vendorCode: word,
      severity: 'high',
      component: 'psu',
      message: `The power supply reports ${word}.`,
      cause: 'Mains, temperature or the power supply itself.',
      action: 'Check mains and cooling; replace the power supply if it stays.',
    })
  if (psu?.online === false)
    found.push({
      code: 'psu-silent',
      severity: 'high',
      component: 'psu',
      message: 'The power supply does not answer the controller.',
      action: 'Check the cable between controller and power supply; replace the power supply.',
    })
  if (bool(stats['Stratum Disconnect']) === true)
    found.push({
      code: 'pool-connection',
      severity: 'high',
      component: 'pool',
      message: 'The miner has lost its pool.',
      cause: 'Network, DNS or the pool itself.',
      action: 'Check the network of the site and the pool addresses.',
    })
  return found
}
