import { type Board, type Fan, type Network, type Pool, SdkError } from '#model'
import { antminerTitle } from '../hardware/antminer.js'
import { difficulty } from '../kit/cgminer.js'
import { bool, type Fields, fields, isObject, num, rows, str } from '../kit/json.js'
import { addressOf } from '../kit/shown.js'
import {
  count,
  defined,
  highest,
  macOf,
  maxParts,
  object,
  positive,
  rateReader,
  temperature,
  tidy,
  words,
} from '../kit/values.js'

/** The replies of VNish's REST interface as facts (protocols/vnish.md §3). Rates are GH/s where no name says another unit. */

const ghs = rateReader('GH/s')

/** While it starts there is no miner yet: an empty one. */
export function parseSummary(reply: unknown): Fields {
  const { miner } = object(reply, 'the summary')
  if (miner !== null && !isObject(miner)) throw new SdkError('DEVICE_BAD_REPLY', 'the summary has no miner')
  return miner ?? {}
}

/** A rate in TH/s under one name, or in GH/s under the other. */
export function rateOf(summary: Fields, thsKey: string, ghsKey: string): number | undefined {
  return count(summary[thsKey]) ?? ghs(summary[ghsKey])
}

export interface State {
  readonly name: string
  readonly forS?: number
  readonly description?: string
  readonly failure?: string
  readonly throttledPct?: number
}

/** Of `summary`, or of `status` itself. */
export function stateOf(reply: Fields | undefined): State | undefined {
  const status = isObject(reply?.miner_status) ? reply.miner_status : (reply ?? {})
  const name = words(status.miner_state, 32)?.toLowerCase()
  if (name === undefined) return undefined
  const throttled = isObject(status.throttled) ? status.throttled.percent : status.throttled
  return {
    name,
    ...defined({
      forS: count(status.miner_state_time),
      description: words(status.description),
      failure: words(status.failure_code, 32),
      throttledPct: typeof throttled === 'boolean' ? undefined : positive(num(throttled)),
    }),
  }
}

/** In these it does not hash, whatever it measures. */
const idle = /^(stopped|failure|initializing|starting|restarting|shutting-down)$/

export function isIdle(state: State | undefined): boolean {
  return state !== undefined && idle.test(state.name)
}

export function isAsleep(state: State | undefined): boolean | undefined {
  return state === undefined ? undefined : /^(stopped|paused)$/.test(state.name)
}

export interface Info {
  readonly model?: string
  readonly firmware?: string
  readonly controlBoard?: string
  readonly serial?: string
  readonly mac?: string
  readonly hostname?: string
  readonly network?: Network
  readonly uptimeS?: number
}

const platforms: Readonly<Record<string, string>> = {
  aml: 'Amlogic',
  bb: 'BeagleBone',
  cv: 'CVITEK',
  stm: 'STM32',
  xil: 'Zynq',
}

export function parseInfo(reply: unknown): Info {
  const info = object(reply, 'info')
  if (!('fw_version' in info) && !('miner' in info)) throw new SdkError('DEVICE_BAD_REPLY', 'the reply is no info')
  const system = fields(info.system)
  const network = fields(system.network_status)
  const platform = words(info.platform, 32)
  const serial = words(info.serial, 64)
  const ip = words(network.ip, 64)
  const dns = Array.isArray(network.dns) ? network.dns.map((each) => words(each, 64)) : []
  return defined({
    model: antminerTitle(words(info.miner ?? info.model, 48)),
    firmware: words(info.fw_version, 64),
    controlBoard: platform && Object.hasOwn(platforms, platform) ? platforms[platform] : platform,
    serial: serial && /^n\/?a$/i.test(serial) ? undefined : serial,
    mac: macOf(network.mac),
    hostname: words(network.hostname, 64),
    uptimeS: uptimeS(system.uptime),
    network:
      ip === undefined
        ? undefined
        : defined({
            dhcp: bool(network.dhcp),
            ip,
            netmask: words(network.netmask, 64),
            gateway: words(network.gateway, 64),
            dns: dns.filter((each) => each !== undefined).slice(0, 8),
          }),
  })
}

/** Seconds of `1:55`, `3 days, 4:05`, `12 min`: hours and minutes. */
export function uptimeS(value: unknown): number | undefined {
  const text = str(value)
  if (text === undefined) return undefined
  const days = /(\d{1,5}) days?/.exec(text)?.[1]
  const clock = /(\d{1,3}):(\d\d)(?::(\d\d))?/.exec(text)
  const minutes = /(\d{1,4}) min/.exec(text)?.[1]
  if (!days && !clock && !minutes) return undefined
  const inDay = clock
    ? Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3] ?? 0)
    : Number(minutes ?? 0) * 60
  return Number(days ?? 0) * 86_400 + inDay
}

/** `chains` of the summary; older builds have other names. */
export function boardsOf(summary: Fields, all: { chips?: ChipMaps; factory?: Factory }): Board[] | undefined {
  const boards = rows(summary.chains)
    .slice(0, maxParts)
    .map((chain, at): Board => {
      const slot = slotOf(chain.id, at)
      const chip = fields(chain.chip_temp)
      const grades = fields(chain.chip_statuses)
      const seen = [grades.red, grades.orange, grades.grey].map(count).filter((each) => each !== undefined)
      const millivolt = positive(num(chain.voltage))
      return {
        slot,
        ...defined({
          serial: all.factory?.serials.get(slot),
          status: chainStatus(fields(chain.status).state),
          hashrateThs: ghs(chain.hashrate_rt ?? chain.hr_realtime),
          expectedHashrateThs: positive(ghs(chain.hashrate_ideal ?? chain.hr_nominal)),
          chips: seen.length > 0 ? seen.reduce((sum, each) => sum + each, 0) : undefined,
          frequencyMhz: positive(num(chain.frequency ?? chain.freq)),
          voltageV: millivolt === undefined ? undefined : tidy(millivolt / 1000),
          powerW: positive(num(chain.power_consumption)),
          boardTempC: temperature(fields(chain.pcb_temp).max),
          chipTempMinC: temperature(chip.min),
          chipTempMaxC: temperature(chip.max),
          chipTempAvgC: all.chips?.get(slot)?.meanC,
          inletTempC: temperature(chain.inlet_water_temp),
          outletTempC: temperature(chain.outlet_water_temp),
          hwErrors: count(chain.hw_errors),
          hwErrorPct: num(chain.hr_error),
          chipMap: all.chips?.get(slot)?.map,
        }),
      }
    })
  return boards.length > 0 ? boards.sort((a, b) => a.slot - b.slot) : undefined
}

/** They are counted from 1. */
function slotOf(id: unknown, at: number): number {
  const number = num(id)
  return number !== undefined && Number.isInteger(number) && number >= 1 && number <= maxParts ? number - 1 : at
}

export function chainStatus(state: unknown): Board['status'] {
  const name = str(state) ?? ''
  if (/disabled/i.test(name)) return 'disabled'
  if (/disconnect|missing|not.?found/i.test(name)) return 'missing'
  return /fail|error|lost/i.test(name) ? 'error' : undefined
}

export function fansOf(summary: Fields): Fan[] | undefined {
  const cooling = fields(summary.cooling)
  if (!Array.isArray(cooling.fans)) return undefined
  const duty = num(cooling.fan_duty)
  return rows(cooling.fans)
    .slice(0, maxParts)
    .map((fan, at) => {
      const status = str(fan.status)?.toLowerCase()
      return {
        index: count(fan.id) ?? at,
        ...defined({
          rpm: count(fan.rpm),
          dutyPct: duty !== undefined && duty >= 0 && duty <= 100 ? duty : undefined,
          status: status === 'ok' ? ('ok' as const) : status === 'lost' ? ('failed' as const) : undefined,
        }),
      }
    })
}

/** When a pool got its last share only the RPC says by a clock. */
export function poolsOf(summary: Fields, rpc: readonly Pool[] = []): Pool[] | undefined {
  if (!Array.isArray(summary.pools)) return undefined
  return rows(summary.pools)
    .slice(0, maxParts)
    .flatMap((pool, at): Pool[] => {
      const url = str(pool.url)
      if (url === undefined) return []
      const user = str(pool.user) ?? ''
      const status = str(pool.status)?.toLowerCase()
      const [accepted, rejected] = [count(pool.accepted), count(pool.rejected)]
      const tried = (accepted ?? 0) + (rejected ?? 0)
      const twin = rpc.find((each) => addressOf(each.url) === addressOf(url) && each.user === user)
      return [
        {
          index: count(pool.id) ?? at,
          url,
          user,
          ...defined({
            active: status === undefined ? undefined : status === 'active',
            alive: aliveOf(status),
            accepted,
            rejected,
            stale: count(pool.stale),
            rejectPct: tried > 0 && rejected !== undefined ? Math.round((rejected / tried) * 1e4) / 100 : undefined,
            difficulty: positive(difficulty(pool.diff)),
            lastShareAt: twin?.lastShareAt ?? undefined,
            devFee: /^(devfee|refund)$/i.test(str(pool.pool_type) ?? '') ? true : undefined,
          }),
        },
      ]
    })
}

function aliveOf(status: string | undefined): boolean | undefined {
  if (status === 'active' || status === 'working') return true
  return status === 'offline' || status === 'rejecting' ? false : undefined
}

export interface ChipMap {
  readonly map: string
  readonly meanC?: number
}
export type ChipMaps = ReadonlyMap<number, ChipMap>

const maxChips = 1024

/** `boards` of 1.3, `chips` before: the chips of each board with their grades. */
export function parseChips(reply: unknown): ChipMaps {
  const list = Array.isArray(reply) ? reply : Object.values(fields(reply)).find((value) => Array.isArray(value))
  if (!Array.isArray(list)) throw new SdkError('DEVICE_BAD_REPLY', 'the reply holds no boards')
  const found = new Map<number, ChipMap>()
  for (const [at, board] of rows(list).slice(0, maxParts).entries()) {
    const chips = rows(board.chips).slice(0, maxChips)
    if (chips.length === 0) continue
    const hot = chips.map((chip) => temperature(chip.temp)).filter((each) => each !== undefined)
    const meanC = hot.length === 0 ? undefined : Math.round((hot.reduce((a, b) => a + b, 0) / hot.length) * 100) / 100
    const map = chips.map(({ grade }) => (/^red$/i.test(str(grade) ?? '') ? 'x' : 'o')).join('')
    found.set(slotOf(board.id, at), { map, ...defined({ meanC }) })
  }
  return found
}

export interface Factory {
  readonly serials: ReadonlyMap<number, string>
  readonly psu?: { readonly model?: string; readonly serial?: string }
}

export function parseFactory(reply: unknown): Factory {
  const info = object(reply, 'factory-info')
  const serials = new Map<number, string>()
  for (const [at, chain] of rows(info.chains).slice(0, maxParts).entries()) {
    const serial = words(chain.serial, 64)
    if (serial !== undefined) serials.set(slotOf(chain.id, at), serial)
  }
  const psu = defined({ model: words(info.psu_model, 64), serial: words(info.psu_serial, 64) })
  return { serials, ...(Object.keys(psu).length > 0 ? { psu } : {}) }
}

export function psuTempC(summary: Fields): number | undefined {
  return highest(
    Object.values(fields(fields(summary.psu).temps))
      .slice(0, maxParts)
      .map(temperature),
  )
}
