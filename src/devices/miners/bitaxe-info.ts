import { type Board, type DeviceError, type Fan, type Network, type Pool, SdkError } from '#model'
import type { Model } from '../define.js'
import { productOf } from '../hardware/bitaxe.js'
import { difficulty } from '../kit/cgminer.js'
import { fanStopped } from '../kit/fan-stopped.js'
import { bool, type Fields, fields, num, rows, str } from '../kit/json.js'
import { count, defined, highest, maxParts, object, temperature, tidy } from '../kit/values.js'

/** `/api/system/info`; throws DEVICE_BAD_REPLY where it is none. */
export function parseInfo(reply: unknown): Fields {
  const info = object(reply, 'the system information')
  if (str(info.ASICModel) === undefined && num(info.hashRate) === undefined)
    throw new SdkError('DEVICE_BAD_REPLY', 'the reply is no system information of AxeOS')
  return info
}

/** What `/api/system/asic` says: the chips, and what may be set. */
export interface Asic {
  readonly model: string | undefined
  readonly chips: number | undefined
  readonly defaultMhz: number | undefined
  readonly optionsMhz: readonly number[]
}

export function parseAsic(reply: unknown): Asic {
  const asic = object(reply, 'the chip information')
  const options = Array.isArray(asic.frequencyOptions) ? asic.frequencyOptions : []
  return {
    model: str(asic.deviceModel),
    chips: count(asic.asicCount),
    defaultMhz: above0(asic.defaultFrequency),
    optionsMhz: options.map(num).filter((mhz) => mhz !== undefined),
  }
}

/** NerdAxes and their kin are of the same family, with an interface that has grown its own way. */
export function isNerd(info: Fields): boolean {
  return /nerd/i.test(str(info.deviceModel) ?? '') || Array.isArray(info.fans) || info.stratum !== undefined
}

export function modelOf(info: Fields): string | undefined {
  return str(info.deviceModel)?.replace(/^bitaxe\s+/i, '') ?? productOf(str(info.boardVersion))
}

/** GH/s as TH/s. */
export function rate(value: unknown): number | undefined {
  const ghs = num(value)
  return ghs === undefined || ghs < 0 ? undefined : tidy(ghs / 1000)
}

const above0 = (value: unknown) => {
  const number = num(value)
  return number !== undefined && number > 0 ? number : undefined
}

export function chipsOf(info: Fields, asic: Asic | undefined, model: Model): number | undefined {
  return above0(info.asicCount) ?? asic?.chips ?? model.chips
}

/** As the firmware says it, else by its own formula: a core makes one hash a cycle. */
export function expected(info: Fields, asic: Asic | undefined, model: Model): number | undefined {
  const told = above0(info.expectedHashrate)
  if (told !== undefined) return rate(told)
  const mhz = above0(info.frequency)
  const cores = above0(info.smallCoreCount)
  const chips = chipsOf(info, asic, model)
  return mhz && cores && chips ? rate((mhz * cores * chips) / 1000) : undefined
}

/** mV, on some builds V. */
export function inputVoltage(info: Fields): number | undefined {
  const voltage = above0(info.voltage)
  return voltage !== undefined && voltage > 100 ? voltage / 1000 : voltage
}

/** mA, or A under the name that says so. */
export function inputCurrent(info: Fields): number | undefined {
  const current = num(info.current)
  return num(info.currentA) ?? (current === undefined || current < 0 ? undefined : tidy(current / 1000))
}

/** One mean or several sensors of chips; -1 and 0 are places without one. */
export function chipTemps(info: Fields): (number | undefined)[] {
  const list = Array.isArray(info.asicTemps) ? info.asicTemps.slice(0, maxParts) : []
  return [temperature(info.temp), temperature(info.temp2), ...list.map(temperature)]
}

export function boardsOf(info: Fields, asic: Asic | undefined, model: Model): Board[] {
  const monitors = rows(fields(info.hashrateMonitor).asics)
  const errors = monitors.map((monitor) => count(monitor.errorCount)).filter((each) => each !== undefined)
  const millivolts = above0(info.coreVoltageActual) ?? above0(info.coreVoltage)
  const temps = chipTemps(info)
  return [
    {
      slot: 0,
      ...defined({
        hashrateThs: rate(info.hashRate),
        expectedHashrateThs: expected(info, asic, model),
        chips: chipsOf(info, asic, model),
        frequencyMhz: above0(info.actualFrequency) ?? above0(info.frequency),
        voltageV: millivolts === undefined ? undefined : millivolts / 1000,
        powerW: num(info.power),
        boardTempC: temperature(info.vrTemp),
        chipTempMaxC: highest(temps),
        chipTempAvgC: temps[0],
        hwErrors: errors.length > 0 ? errors.reduce((sum, each) => sum + each, 0) : undefined,
        hwErrorPct: num(info.errorPercentage),
      }),
    },
  ]
}

/** A list, or numbered keys; a second place that stands still and that the model does not have is none. */
export function fansOf(info: Fields, model: Model): Fan[] | undefined {
  const list = rows(info.fans).slice(0, maxParts)
  if (list.length > 0) {
    return list.flatMap((fan, index) => {
      const rpm = count(fan.rpm)
      return rpm === undefined ? [] : [{ index, rpm, ...defined({ dutyPct: num(fan.speedPerc) }) }]
    })
  }
  const numbered = [info.fanrpm, info.fan2rpm ?? info.fanrpm2].map(count)
  const duties = [num(info.fanspeed), num(info.fanspeed2)]
  const fans = numbered.flatMap((rpm, index) => {
    if (rpm === undefined || (index > 0 && rpm === 0 && index >= (model.fans ?? 1))) return []
    return [{ index, rpm, ...defined({ dutyPct: duties[index] }) }]
  })
  return fans.length > 0 ? fans : undefined
}

/** The main pool and the one in its place; the firmware writes host and port apart and without a scheme. */
export function poolsOf(info: Fields): Pool[] | undefined {
  const usesFallback = bool(info.isUsingFallbackStratum) ?? bool(fields(info.stratum).usingFallback)
  const details = rows(fields(info.stratum).pools)
  const shares = { accepted: count(info.sharesAccepted), rejected: count(info.sharesRejected) }
  const configured = [
    poolOf(info.stratumURL, info.stratumPort, info.stratumUser, info.stratumTLS),
    poolOf(info.fallbackStratumURL, info.fallbackStratumPort, info.fallbackStratumUser, info.fallbackStratumTLS),
  ]
  const pools = configured.flatMap((pool, index): Pool[] => {
    if (!pool) return []
    const active = usesFallback === undefined ? undefined : usesFallback === (index === 1)
    const detail = details[index] ?? {}
    const own = { accepted: count(detail.accepted), rejected: count(detail.rejected) }
    // Shares are counted for the miner as a whole: they are those of the pool in use.
    const counted = own.accepted === undefined && active ? shares : own
    return [
      {
        index,
        ...pool,
        ...defined({
          active,
          alive: bool(detail.connected),
          ...counted,
          difficulty: above0(detail.poolDifficulty) ?? (active ? above0(info.poolDifficulty) : undefined),
        }),
      },
    ]
  })
  return pools.length > 0 ? pools : undefined
}

function poolOf(url: unknown, port: unknown, user: unknown, tls: unknown): Pick<Pool, 'url' | 'user'> | undefined {
  const host = str(url)
  if (!host) return undefined
  const number = above0(port)
  const address = host.includes('://') ? host : `${above0(tls) ? 'stratum+ssl' : 'stratum+tcp'}://${host}`
  return {
    url: /:\d+$/.test(address) || number === undefined ? address : `${address}:${number}`,
    user: str(user) ?? '',
  }
}

export function bestShare(info: Fields): number | undefined {
  return difficulty(info.bestDiff)
}

export function networkOf(info: Fields): Network | undefined {
  const ip = str(info.ipv4) ?? str(info.hostip)
  return ip === undefined ? undefined : { ip }
}

export function isPaused(info: Fields): boolean | undefined {
  const paused = bool(info.miningPaused)
  const shutdown = bool(info.shutdown)
  return paused === undefined && shutdown === undefined ? undefined : paused === true || shutdown === true
}

/** Limits of protocols/bitaxe.md §6, and what regulators of this size bear. */
const chipHotC = 75
const regulatorHotC = 105

export function errorsOf(info: Fields): DeviceError[] {
  const errors: DeviceError[] = []
  const fault = (key: string) => str(info[key])
  if (bool(info.overheat_mode)) {
    errors.push({
      code: 'overheated',
      severity: 'critical',
      component: 'cooling',
      vendorCode: 'overheat_mode',
      message: 'The miner has stopped itself because it was too hot.',
      cause: 'Fan, heat sink or air.',
      action: 'Let it cool, check the fan and the heat sink, then clear the overheat mode on its page.',
    })
  }
  for (const [key, component, what] of [
    ['power_fault', 'psu', 'Its power is faulty'],
    ['hardware_fault', 'control', 'Its hardware is faulty'],
  ] as const) {
    const text = fault(key)
    if (text === undefined || /^(0|none|no|false)$/i.test(text)) continue
    errors.push({
      code: key === 'power_fault' ? 'power-fault' : 'hardware-fault',
      severity: 'critical',
      component,
      vendorCode: text.slice(0, 64),
      message: `${what}: ${text.slice(0, 120)}.`,
      action: 'Check the power supply and its plug, then restart; have it repaired if it stays.',
    })
  }
  const hottest = highest(chipTemps(info))
  if (hottest !== undefined && hottest > chipHotC) errors.push(hot('chip', 'The chip', hottest))
  const regulator = temperature(info.vrTemp)
  if (regulator !== undefined && regulator > regulatorHotC)
    errors.push(hot('board', 'The voltage regulator', regulator))
  const [fan] = fansOf(info, {}) ?? []
  if (fan?.rpm === 0 && (num(info.fanspeed) ?? 0) > 0 && !isPaused(info)) {
    errors.push(fanStopped(fan))
  }
  if (bool(info.isUsingFallbackStratum)) {
    errors.push({
      code: 'pool-fallback',
      severity: 'low',
      component: 'pool',
      index: 0,
      message: 'It mines for its second pool.',
      cause: 'The first one could not be reached.',
      action: 'Check the address of the first pool and the network.',
    })
  }
  return errors
}

function hot(component: 'chip' | 'board', what: string, celsius: number): DeviceError {
  return {
    code: `${component}-hot`,
    severity: 'high',
    component,
    message: `${what} has ${celsius} °C.`,
    cause: 'Fan too slow, air too warm, or frequency and voltage too high.',
    action: 'Raise the fan, or lower frequency and voltage.',
  }
}
