import { plainNumber } from '../kit/auradine.js'
import { section } from '../kit/cgminer.js'
import { type Fields, num, str } from '../kit/json.js'
import { count, defined, macOf, maxParts, positive, temperature, tidy, words } from '../kit/values.js'

/** The replies of FluxOS as facts (protocols/other-firmwares.md). Rates are MH/s; what is counted from 1 there is counted from 0 here. */

const first = (reply: unknown, name: string): Fields => section(reply, name)[0] ?? {}

export function thsOf(mhs: unknown): number | undefined {
  const value = count(mhs)
  return value === undefined ? undefined : tidy(value / 1e6)
}

/** The place of `ID` 1 and on; undefined for the controller, which is 0. */
function placeOf(part: Fields): number | undefined {
  const id = num(part.ID) ?? num(part.DEV)
  return id !== undefined && Number.isInteger(id) && id >= 1 && id <= maxParts ? id - 1 : undefined
}

export const summaryOf = (reply: unknown): Fields => first(reply, 'SUMMARY')

export interface Dev {
  readonly slot: number
  readonly rateThs?: number
  readonly temperatureC?: number
  readonly status?: string
  readonly enabled?: boolean
}

export function parseDevs(reply: unknown): Dev[] {
  return section(reply, 'DEVS')
    .slice(0, maxParts)
    .flatMap((dev) => {
      const slot = placeOf(dev)
      if (slot === undefined) return []
      const { Enabled: enabled } = dev
      return [
        {
          slot,
          ...defined({
            rateThs: thsOf(dev['MHS 5s'] ?? dev['MHS 1m'] ?? dev['MHS av']),
            temperatureC: temperature(dev.Temperature),
            status: words(dev.Status, 32),
            enabled: enabled === undefined ? undefined : enabled === true || enabled === 'Y',
          }),
        },
      ]
    })
}

export function parseVersion(reply: unknown) {
  const version = first(reply, 'VERSION')
  return defined({ api: words(version.API, 32), daemon: words(version.GCMiner, 32) })
}

/** How many chips answer, of all boards together. */
export function parseCount(reply: unknown) {
  const counted = first(reply, 'ASCCount')
  return defined({ chips: count(counted.AsicCount), boards: positive(count(counted.BoardCount)) })
}

export interface Report {
  readonly model?: string
  readonly mac?: string
  readonly hostname?: string
  readonly serial?: string
  readonly firmware?: string
  readonly controlBoard?: string
  readonly boardSerials: readonly (string | undefined)[]
}

export function parseReport(reply: unknown): Report {
  const report = first(reply, 'IPReport')
  const { HBSerialNo: serials } = report
  return {
    boardSerials: Array.isArray(serials) ? serials.slice(0, maxParts).map((serial) => words(serial, 64)) : [],
    ...defined({
      model: words(report.model, 48),
      mac: macOf(report.mac),
      hostname: words(report.hostname, 64),
      serial: words(report.SerialNo ?? report.SerialNumber ?? report.CBSerialNo, 64),
      firmware: words(report.version, 64),
      controlBoard: words(report.InternalType, 32),
    }),
  }
}

export interface FanNow {
  readonly index: number
  readonly rpm?: number
  /** What it is told, as a share of its fastest. */
  readonly dutyPct?: number
}

export function parseFans(reply: unknown): FanNow[] {
  return section(reply, 'Fan')
    .slice(0, maxParts)
    .flatMap((fan) => {
      const index = placeOf(fan)
      const most = positive(num(fan.Max))
      const target = count(fan.Target)
      const duty = most === undefined || target === undefined ? undefined : (target / most) * 100
      if (index === undefined) return []
      return [
        {
          index,
          ...defined({
            rpm: count(fan.Speed),
            dutyPct: duty === undefined || duty > 100 ? undefined : Math.round(duty * 10) / 10,
          }),
        },
      ]
    })
}

export interface Led {
  readonly code?: number
  readonly message?: string
}

export function parseLed(reply: unknown): Led {
  const led = first(reply, 'LED')
  return defined({ code: num(led.Code), message: words(led.Msg) })
}

export interface Mode {
  readonly mode?: string
  readonly watts?: number
  readonly ths?: number
  readonly asleep?: boolean
}

export function parseMode(reply: unknown): Mode {
  const mode = first(reply, 'Mode')
  const sleep = str(mode.Sleep)?.toLowerCase()
  return defined({
    mode: words(mode.Mode, 16)?.toLowerCase(),
    watts: positive(num(mode.Power)),
    ths: positive(num(mode.Ths)),
    asleep: sleep === undefined ? undefined : sleep === 'on' || sleep === 'true',
  })
}

export function parsePsu(reply: unknown) {
  const psu = first(reply, 'PSU')
  return defined({
    inputW: plainNumber(psu.PowerIn),
    outputW: plainNumber(psu.PowerOut),
    inputV: plainNumber(psu.Vin),
    inputA: plainNumber(psu.Iin),
    outputV: plainNumber(psu.Vout),
    mostW: positive(plainNumber(psu.PoutMax)),
    fanRpm: [plainNumber(psu.FanSpeed1), plainNumber(psu.FanSpeed2)].reduce(higher),
  })
}

function higher(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a
}

export interface Temperatures {
  readonly board: readonly (number | undefined)[]
  readonly chips: readonly (number | undefined)[]
}

/** Of each board; those of the controller have no place. */
export function parseTemperatures(reply: unknown): Map<number, Temperatures> {
  return perBoard(section(reply, 'Temperature'), (board) => ({
    board: valuesOf(board.BoardTemp, 'Temperature').map(temperature),
    chips: valuesOf(board.ChipTemp, 'Temperature').map(temperature),
  }))
}

export function parseFrequencies(reply: unknown): Map<number, readonly (number | undefined)[]> {
  return perBoard(section(reply, 'Frequency'), (board) =>
    valuesOf(board.ChipFrequency, 'Frequency').map((mhz) => positive(num(mhz))),
  )
}

function perBoard<T>(boards: readonly Fields[], take: (board: Fields) => T): Map<number, T> {
  const found = new Map<number, T>()
  for (const board of boards.slice(0, maxParts + 1)) {
    const slot = placeOf(board)
    if (slot !== undefined) found.set(slot, take(board))
  }
  return found
}

const maxChips = 1024

function valuesOf(list: unknown, key: string): unknown[] {
  if (!Array.isArray(list)) return []
  return list
    .slice(0, maxChips)
    .map((each) => (each !== null && typeof each === 'object' ? each[key as never] : undefined))
}
