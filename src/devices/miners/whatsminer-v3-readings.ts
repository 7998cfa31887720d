import type { Board, Fan, Pool, Tuning } from '#model'
import type { Model } from '../define.js'
import { isLiquid, modelNameOf } from '../hardware/whatsminer.js'
import { bool, type Fields, fields, isObject, num, rows, str } from '../kit/json.js'
import { within } from '../kit/values.js'
import { type About, ledOf, macOf, networkOf, versionText } from './whatsminer-about.js'
import type { PsuReadings } from './whatsminer-parts.js'
import { powerMode, share } from './whatsminer-readings.js'
import { above, chipTemp, count, defined, rpm, temp } from './whatsminer-values.js'

/** The replies of API v3 in our units (protocols/whatsminer.md §2.3): TH/s, W and °C already, most of `get.device.info` as texts. */

/** GH/s of each place, as the boards were made; 0 where there is none. */
function detectedThs(miner: Fields): (number | undefined)[] {
  const places = str(miner['detect-hash-rate'])?.split(':') ?? []
  return places.map((place) => above(place)).map((ghs) => (ghs === undefined ? undefined : ghs / 1000))
}

/** The label, TH/s: what the firmware says, else what it measured of its boards at the factory. */
export function labelThs(summary: Fields, miner: Fields): number | undefined {
  const label = above(summary['factory-hash'])
  if (label !== undefined) return label
  const detected = detectedThs(miner).filter((ths) => ths !== undefined)
  return detected.length === 0 ? undefined : detected.reduce((sum, ths) => sum + ths, 0)
}

/** With its present settings, TH/s: a lowered frequency or power brings less. */
export function expectedV3(summary: Fields, miner: Fields, setting: Fields): number | undefined {
  const label = labelThs(summary, miner)
  return label === undefined ? undefined : label * share(powerPercent(setting), num(summary['target-freq']))
}

/** 0 is "not set", which is all of the nominal power. */
function powerPercent(setting: Fields): number | undefined {
  const percent = count(setting['power-percent'])
  return percent === 0 ? 100 : percent
}

const rate = (value: unknown) => within('hashrateThs', num(value))

const maxSlots = 16

/** Numbers from `edevs`, the PCB temperature from the summary, the serial from the device's information. Without `edevs` what the others tell. */
export function boardsV3(summary: Fields, edevs: readonly Fields[] | undefined, miner: Fields): Board[] | undefined {
  const temps = Array.isArray(summary['board-temperature']) ? summary['board-temperature'].slice(0, maxSlots) : []
  const detected = detectedThs(miner)
  const bySlot = new Map(
    (edevs ?? []).map((dev, position) => {
      const slot = num(dev.slot) ?? position
      return [Number.isInteger(slot) && slot >= 0 && slot < maxSlots ? slot : position, dev]
    }),
  )
  const slots = bySlot.size > 0 ? [...bySlot.keys()] : temps.map((_, slot) => slot)
  if (slots.length === 0) return undefined
  return slots
    .filter((slot) => slot < maxSlots)
    .map((slot) => {
      const dev = bySlot.get(slot) ?? {}
      return defined({
        slot,
        serial: str(miner[`pcbsn${slot}`]),
        hashrateThs: rate(dev['hash-realtime']) ?? rate(dev['hash-average']),
        expectedHashrateThs: above(dev['factory-hash']) ?? detected[slot],
        chips: count(dev['effective-chips']),
        frequencyMhz: count(dev.freq),
        boardTempC: temp(temps[slot]),
        chipTempMinC: chipTemp(dev['chip-temp-min']),
        chipTempMaxC: chipTemp(dev['chip-temp-max']),
        chipTempAvgC: chipTemp(dev['chip-temp-avg']),
        tuned: bool(summary['up-freq-finish']),
      })
    })
}

export function fansV3(summary: Fields, model: Model): Fan[] | undefined {
  if (isLiquid(model)) return []
  const speeds = [rpm(summary['fan-speed-in']), rpm(summary['fan-speed-out'])]
  if (speeds.every((speed) => speed === undefined)) return undefined
  return speeds.map(
    (speed, index): Fan => defined({ index, location: index === 0 ? ('in' as const) : ('out' as const), rpm: speed }),
  )
}

export function fastestV3(summary: Fields): number | undefined {
  const speeds = [rpm(summary['fan-speed-in']), rpm(summary['fan-speed-out'])].filter((speed) => speed !== undefined)
  return speeds.length === 0 ? undefined : Math.max(...speeds)
}

/** The pools of v3; share counters, which it mostly lacks, from the pools of API v2 where that answers. */
export function poolsV3(pools: readonly Fields[], counted: readonly Pool[] | undefined): Pool[] {
  return pools.flatMap((pool, index): Pool[] => {
    const url = str(pool.url)
    if (url === undefined) return []
    const user = str(pool.account) ?? ''
    const status = str(pool.status)?.toLowerCase()
    const lastShare = count(pool['last-share-time'])
    const twin = counted?.find((other) => other.url === url && other.user === user)
    return [
      defined({
        index,
        url,
        user,
        active: bool(pool['stratum-active']),
        alive: status === undefined ? undefined : status === 'alive',
        priority: count(pool['pool-priority']) ?? twin?.priority,
        accepted: count(pool.accepted) ?? twin?.accepted,
        rejected: count(pool.rejected) ?? twin?.rejected,
        stale: count(pool.stale) ?? twin?.stale,
        rejectPct: count(pool['reject-percent']) ?? count(pool['reject-rate']) ?? twin?.rejectPct,
        lastShareAt: lastShare ? lastShare * 1000 : twin?.lastShareAt,
        difficulty: above(pool['stratum-diff']) ?? twin?.difficulty,
      }),
    ]
  })
}

/** `power` of the device's information: A, V and W; the output in 10 mV. */
export function psuV3(power: Fields): PsuReadings & { readonly outputV?: number; readonly liquidTempC?: number } {
  const vout = above(power.vout)
  return defined({
    voltageV: above(power.vin),
    currentA: count(power.iin),
    powerW: count(power.pin),
    tempC: chipTemp(power.temp0),
    fanRpm: rpm(power.fanspeed),
    outputV: vout === undefined ? undefined : vout >= 100 ? vout / 100 : vout,
    liquidTempC: chipTemp(power['liquid-temperature']),
    about: defined({
      model: str(power.model) ?? str(power.type),
      serial: str(power.sn),
      version: str(power.swversion),
    }),
  })
}

export function tuningV3(setting: Fields, summary: Fields | undefined): Tuning {
  return defined({
    mode: powerMode(setting['power-mode']),
    targetW: above(setting['power-limit']),
    percent: powerPercent(setting),
    frequencyPct: num(setting['target-freq']),
    tuned: bool(summary?.['up-freq-finish']),
  })
}

/** `get.device.info`, in our form where it does not depend on other replies. */
export interface Info {
  readonly about: About & { readonly controlBoard?: string }
  readonly miner: Fields
  readonly psu: ReturnType<typeof psuV3>
  readonly asleep?: boolean
  /** A list of errors; a text (`btminer process is down err`) is none. */
  readonly errors: unknown
}

export function infoOf(message: unknown): Info | undefined {
  if (!isObject(message) || (!isObject(message.miner) && !isObject(message.system))) return undefined
  const [network, miner, system] = [message.network, message.miner, message.system].map(fields) as [
    Fields,
    Fields,
    Fields,
  ]
  const about = defined({
    name: modelNameOf(str(miner.type)),
    firmware: versionText(system.fwversion),
    api: str(system.api),
    controlBoard: str(system['control-board-version']) ?? str(system.platform),
    mac: macOf(network.mac),
    hostname: str(network.hostname),
    serial: str(miner['miner-sn']),
    led: ledOf(system.ledstatus),
    network: networkOf(network),
  })
  const working = bool(miner.working)
  const asleep = working === undefined ? {} : { asleep: !working }
  return { about, miner, psu: psuV3(fields(message.power)), errors: message['error-code'], ...asleep }
}

export function sectionRows(message: unknown, section: string): Fields[] {
  return rows(fields(message)[section])
}
