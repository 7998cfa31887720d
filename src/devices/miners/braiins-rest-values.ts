import {
  type Board,
  type DeviceError,
  type Fan,
  type Network,
  type Pool,
  type Psu,
  SdkError,
  type Tuning,
} from '#model'
import { bool, type Fields, fields, num, rows, str } from '../kit/json.js'
import { count, defined, maxParts, object, tidy } from '../kit/values.js'
import { distinct, errorOf, inOrder, slotOf } from './braiins-parts.js'

/** The values of REST v1 (protocols/braiins.md §5): each number stands in an object that names its unit. */

/** TH/s of `{gigahash_per_second}` and its like; an empty object is a rate that was not measured. */
export function ths(value: unknown): number | undefined {
  const units = { terahash_per_second: 1, gigahash_per_second: 1e-3, megahash_per_second: 1e-6 }
  for (const [name, factor] of Object.entries(units)) {
    const rate = num(fields(value)[name])
    if (rate !== undefined && rate >= 0) return tidy(rate * factor)
  }
  return undefined
}

const watt = (value: unknown) => num(fields(value).watt)
const celsius = (value: unknown) => {
  const degrees = num(fields(value).degree_c)
  return degrees !== undefined && degrees > -60 && degrees < 200 && degrees !== 0 ? degrees : undefined
}
const clockMs = (value: unknown) => {
  const seconds = num(fields(value).seconds)
  return seconds === undefined || seconds <= 0 ? undefined : Math.round(seconds * 1000)
}

export function parseDetails(reply: unknown): Fields {
  const details = object(reply, 'the miner details')
  if (!('bos_version' in details) && !('miner_identity' in details))
    throw new SdkError('DEVICE_BAD_REPLY', 'the reply is no miner details')
  return details
}

export function parseStats(reply: unknown): Fields {
  const stats = object(reply, 'the miner stats')
  if (!('miner_stats' in stats)) throw new SdkError('DEVICE_BAD_REPLY', 'the reply is no miner stats')
  return stats
}

export function rateOf(stats: Fields, window: string): number | undefined {
  return ths(fields(fields(stats.miner_stats).real_hashrate)[window])
}

export function nominalOf(stats: Fields): number | undefined {
  return ths(fields(stats.miner_stats).nominal_hashrate)
}

export function powerOf(stats: Fields): number | undefined {
  return watt(fields(stats.power_stats).approximated_consumption)
}

export function poolStat(stats: Fields, key: string): number | undefined {
  return count(fields(stats.pool_stats)[key])
}

const socs: Readonly<Record<number, string>> = { 1: 'CVITEK', 2: 'BeagleBone', 3: 'Amlogic', 4: 'Zynq', 5: 'Braiins' }

export function controlBoardOf(details: Fields): string | undefined {
  return socs[num(details.control_board_soc_family) ?? 0]
}

export function psuOf(details: Fields): Psu | undefined {
  const info = fields(details.psu_info)
  const psu = defined({ model: str(info.model_name), serial: str(info.serial_number), version: str(info.fw_version) })
  return Object.keys(psu).length > 0 ? psu : undefined
}

/** Its state by number: 3 is paused, 4 suspended. */
export function isAsleep(details: Fields): boolean | undefined {
  const state = num(details.status)
  return state === undefined || state === 0 ? undefined : state === 3 || state === 4
}

export function parseBoards(reply: unknown): Fields[] {
  const { hashboards } = object(reply, 'the hashboards')
  if (!Array.isArray(hashboards)) throw new SdkError('DEVICE_BAD_REPLY', 'the reply holds no hashboards')
  return rows(hashboards).slice(0, maxParts)
}

export function boardsOf(list: readonly Fields[]): Board[] | undefined {
  const slot = slotOf(list.map(({ id }) => id))
  const boards = list.map((board): Board => {
    const stats = fields(board.stats)
    const hertz = num(fields(board.current_frequency).hertz)
    const isOff = bool(board.enabled) === false
    return {
      slot: slot(board.id),
      ...(isOff ? { status: 'disabled' as const } : {}),
      ...defined({
        serial: str(board.serial_number),
        hashrateThs: ths(fields(stats.real_hashrate).last_5s) ?? ths(fields(stats.real_hashrate).last_1m),
        expectedHashrateThs: ths(stats.nominal_hashrate),
        chips: count(board.chips_count),
        frequencyMhz: hertz ? tidy(hertz / 1e6) : undefined,
        voltageV: num(fields(board.current_voltage).volt),
        boardTempC: celsius(board.board_temp),
        chipTempMaxC: celsius(fields(board.highest_chip_temp).temperature),
        inletTempC: celsius(board.lowest_inlet_temp),
        outletTempC: celsius(board.highest_outlet_temp),
      }),
    }
  })
  return boards.length > 0 ? boards.sort(inOrder) : undefined
}

export function fansOf(cooling: Fields): Fan[] {
  return rows(cooling.fans)
    .slice(0, maxParts)
    .map((fan, at) => {
      const ratio = num(fan.target_speed_ratio)
      return {
        index: count(fan.position) ?? at,
        ...defined({ rpm: count(fan.rpm), dutyPct: ratio === undefined ? undefined : tidy(ratio * 100) }),
      }
    })
}

export function parsePools(reply: unknown): Pool[] {
  if (!Array.isArray(reply)) throw new SdkError('DEVICE_BAD_REPLY', 'the reply holds no pool groups')
  const pools = rows(reply).flatMap((group) => rows(group.pools).map((pool) => poolOf(pool, group)))
  return pools.slice(0, maxParts).map((pool, index) => ({ index, ...pool }))
}

function poolOf(pool: Fields, group: Fields): Omit<Pool, 'index'> {
  const stats = fields(pool.stats)
  const quota = num(fields(fields(group.strategy ?? group.load_balance_strategy).quota).value)
  return {
    url: str(pool.url) ?? '',
    user: str(pool.user) ?? '',
    ...defined({
      active: bool(pool.active),
      alive: bool(pool.enabled) === false ? undefined : bool(pool.alive),
      quota,
      accepted: count(stats.accepted_shares),
      rejected: count(stats.rejected_shares),
      stale: count(stats.stale_shares),
      lastShareAt: clockMs(stats.last_share_time),
      difficulty: count(stats.last_difficulty) || undefined,
    }),
  }
}

const tunerStates: Readonly<Record<number, { tuned: boolean; busy?: true; failed?: true }>> = {
  1: { tuned: false },
  2: { tuned: true },
  3: { tuned: false, busy: true },
  4: { tuned: false, failed: true },
  5: { tuned: true },
  6: { tuned: false, busy: true },
}

export function tunerState(state: Fields) {
  return tunerStates[num(state.overall_tuner_state) ?? 0]
}

export function targetW(configuration: Fields): number | undefined {
  return watt(fields(configuration.tuner).power_target)
}

/** What is configured, and where that is not told, what the tuner aims at now. */
export function tuningOf(configuration: Fields | undefined, state: Fields | undefined): Tuning | undefined {
  const tuner = fields(configuration?.tuner)
  const modes = fields(state?.mode_state)
  const now = fields(modes.powertargetmodestate)
  const nowThs = fields(modes.hashratetargetmodestate)
  const tuning = defined({
    mode: num(tuner.tuner_mode) === undefined ? undefined : ('custom' as const),
    targetW: watt(tuner.power_target) ?? watt(now.current_target),
    targetThs: ths(tuner.hashrate_target) ?? ths(nowThs.current_target),
    tuned: state === undefined ? undefined : tunerState(state)?.tuned,
  })
  return Object.keys(tuning).length > 0 ? tuning : undefined
}

/** Errors stay in the list for ever: only those of the last quarter of an hour are of now, ms. */
const recentMs = 900_000

/** By the miner's own clock, of which its last share is a sign: all since shortly before it. Without one the last error is the sign. */
export function errorsOf(reply: Fields, stats: Fields | undefined, details: Fields | undefined): DeviceError[] {
  const all = rows(reply.errors).map((error) => ({ error, at: Date.parse(str(error.timestamp) ?? '') }))
  const lastShareAt = clockMs(fields(stats?.pool_stats).last_share_time)
  const sign = lastShareAt ?? Math.max(0, ...all.map(({ at }) => (Number.isFinite(at) ? at : 0)))
  const recent = all.filter(({ at }) => at >= sign - recentMs)
  const found = recent.flatMap(({ error }) => {
    const codes = rows(error.error_codes)
    const message = str(error.message) ?? ''
    return codes.length > 0 ? codes.map((code) => errorOf(message, code)) : [errorOf(message)]
  })
  return distinct([...found, ...stateErrors(details)])
}

function stateErrors(details: Fields | undefined): DeviceError[] {
  if (num(details?.status) !== 5) return []
  return [errorOf('The firmware restricts the miner: its licence does not cover it.')]
}

export function networkOf(reply: unknown): Network {
  const network = object(reply, 'the network')
  const [address] = rows(network.networks)
  const protocol = num(network.protocol)
  const dns = Array.isArray(network.dns_servers) ? network.dns_servers.map(str) : []
  return defined({
    dhcp: protocol === 1 ? true : protocol === 2 ? false : undefined,
    ip: str(address?.address),
    netmask: str(address?.netmask),
    gateway: str(network.default_gateway),
    dns: dns.filter((each) => each !== undefined).slice(0, 8),
  })
}
