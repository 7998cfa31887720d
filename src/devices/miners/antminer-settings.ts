import { type Network, type Pool, type PoolInput, type PowerMode, SdkError, type Tuning } from '#model'
import { bool, type Fields, fields, num, rows, str } from '../kit/json.js'
import { defined, macOf, object } from '../kit/values.js'

/** The configuration of the miner as its web interface gives it; `raw` is all of it, with the pool passwords. */
export interface Conf {
  readonly raw: Fields
  readonly mode: PowerMode | undefined
  readonly pools: Pool[]
  readonly tuning: Tuning
  /** Duty that is set by hand; undefined while the miner rules its fans itself. */
  readonly fanDutyPct: number | undefined
}

const modes: readonly (readonly [number, PowerMode])[] = [
  [0, 'normal'],
  [1, 'sleep'],
  [2, 'high'],
  [3, 'low'],
]
const modeNames = new Map(modes)
export const modeNumbers: ReadonlyMap<PowerMode, number> = new Map(modes.map(([number, name]) => [name, number]))

export function modeName(number: number | undefined): PowerMode | undefined {
  return number === undefined ? undefined : modeNames.get(number)
}

/** `freq-level` is percent of the nominal frequency. */
const nominalLevel = 100

export function frequencyShift(level: number | undefined): number | undefined {
  return level !== undefined && level > 0 ? level - nominalLevel : undefined
}

export function parseConf(reply: unknown): Conf {
  const raw = object(reply, 'the configuration')
  if (!isConf(raw)) throw new SdkError('DEVICE_BAD_REPLY', 'the reply is no miner configuration')
  const mode = modeName(num(raw['bitmain-work-mode']))
  const percent = num(raw['bitmain-hashrate-percent'])
  return {
    raw,
    mode,
    pools: rows(raw.pools)
      .map((pool, index) => ({ index, url: str(pool.url) ?? '', user: str(pool.user) ?? '' }))
      .filter((pool) => pool.url !== ''),
    tuning: defined({
      mode,
      percent: percent !== undefined && percent > 0 ? percent : undefined,
      frequencyPct: frequencyShift(num(raw['bitmain-freq-level'])),
    }),
    fanDutyPct: bool(raw['bitmain-fan-ctrl']) ? num(raw['bitmain-fan-pwm']) : undefined,
  }
}

/** Whether it is a whole configuration: only such a one may be changed and posted back. */
function isConf({ pools, ...rest }: Fields): boolean {
  const isPool = (pool: Fields) => typeof pool.url === 'string' && typeof pool.user === 'string'
  if (!Array.isArray(pools) || pools.length === 0 || rows(pools).length !== pools.length) return false
  return rows(pools).every(isPool) && Object.keys(rest).some((key) => key.startsWith('bitmain-'))
}

/** Names to read to names to write, which differ (protocols/antminer.md §1.4). The mode is written under both. */
const writeNames: readonly (readonly [read: string, write: string])[] = [
  ['bitmain-fan-ctrl', 'bitmain-fan-ctrl'],
  ['bitmain-fan-pwm', 'bitmain-fan-pwm'],
  ['bitmain-hashrate-percent', 'bitmain-hashrate-percent'],
  ['bitmain-freq-level', 'freq-level'],
  ['bitmain-user-ip-cat', 'bitmain-user-ip-cat'],
]
const poolPlaces = 3

export interface ConfChange {
  readonly mode?: PowerMode
  readonly fan?: { readonly manual: boolean; readonly dutyPct?: number }
  readonly frequencyPct?: number
  readonly pools?: readonly PoolInput[]
}

/** The whole configuration as it has to be posted: what was read, under the names to write, with the change in it. */
export function writeConf({ raw }: Conf, change: ConfChange): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const [from, to] of writeNames) if (raw[from] !== undefined) out[to] = raw[from]
  if (change.fan) {
    out['bitmain-fan-ctrl'] = change.fan.manual
    if (change.fan.dutyPct !== undefined) out['bitmain-fan-pwm'] = String(change.fan.dutyPct)
  }
  if (change.frequencyPct !== undefined) out['freq-level'] = String(nominalLevel + change.frequencyPct)
  const mode = change.mode === undefined ? num(raw['bitmain-work-mode']) : modeNumbers.get(change.mode)
  if (mode !== undefined) {
    out['miner-mode'] = mode
    // In the type that this build itself uses.
    out['bitmain-work-mode'] = typeof raw['bitmain-work-mode'] === 'number' ? mode : String(mode)
  }
  out.pools = poolList(rows(raw.pools), change.pools)
  return out
}

/** A pool that stays keeps its password, which nobody has to know again. */
function poolList(present: readonly Fields[], wanted: readonly PoolInput[] | undefined) {
  const keep = (pool: PoolInput) =>
    str(present.find(({ url, user }) => str(url) === pool.url && str(user) === pool.user)?.pass)
  const list = wanted
    ? wanted.map((pool) => ({ url: pool.url, user: pool.user, pass: pool.password ?? keep(pool) ?? '' }))
    : present.map((pool) => ({ url: str(pool.url) ?? '', user: str(pool.user) ?? '', pass: str(pool.pass) ?? '' }))
  return Array.from({ length: poolPlaces }, (_, place) => list[place] ?? { url: '', user: '', pass: '' })
}

/** Who the device is, from `get_system_info` and `miner_type`. */
export interface Info {
  readonly type: string | undefined
  readonly firmware: string | undefined
  readonly serial: string | undefined
  readonly mac: string | undefined
  readonly hostname: string | undefined
  readonly network: Network
}

export function parseInfo(reply: unknown): Info {
  const info = object(reply, 'the system information')
  const serial = str(info.serinum) ?? str(info.serial_no)
  return {
    type: str(info.minertype),
    firmware: str(info.system_filesystem_version),
    serial: serial && !/^n\/?a$/i.test(serial) ? serial : undefined,
    mac: macOf(info.macaddr),
    hostname: str(info.hostname),
    network: networkOf(info, info.nettype, info.dnsservers),
  }
}

export interface NetworkConf {
  readonly mac: string | undefined
  readonly hostname: string | undefined
  readonly network: Network
}

export function parseNetwork(reply: unknown): NetworkConf {
  const info = object(reply, 'the network information')
  const live = networkOf(info, info.conf_nettype ?? info.nettype, info.conf_dnsservers)
  const gateway = str(info.conf_gateway)
  return {
    mac: macOf(info.macaddr),
    hostname: str(info.conf_hostname),
    network: { ...live, ...defined({ gateway }) },
  }
}

/** What `set_network_conf` takes; a static address is complete or refused. */
export function writeNetwork(hostname: string, { dhcp, ip, netmask, gateway, dns }: Network): Record<string, unknown> {
  const isStatic = dhcp === false
  return {
    ipHost: hostname,
    ipPro: isStatic ? 2 : 1,
    ipAddress: isStatic ? (ip ?? '') : '',
    ipSub: isStatic ? (netmask ?? '') : '',
    ipGateway: isStatic ? (gateway ?? '') : '',
    ipDns: isStatic ? (dns ?? []).join(',') : '',
  }
}

/** The control board and the hash board of `AMLCtrl_BHB68XXX`. */
export interface MinerType {
  readonly type: string | undefined
  readonly controlBoard: string | undefined
  readonly hashBoard: string | undefined
  readonly firmware: string | undefined
}

export function parseMinerType(reply: unknown): MinerType {
  const info = object(reply, 'the miner type')
  const [controlBoard, hashBoard] = (str(info.subtype) ?? '').split('_')
  return {
    type: str(info.miner_type),
    controlBoard: str(controlBoard),
    hashBoard: str(hashBoard),
    firmware: str(info.fw_version),
  }
}

/** Newer builds say `blink`, old ones `isBlinking`. */
export function parseBlink(reply: unknown): 'blink' | 'off' {
  const { blink, isBlinking } = fields(reply)
  const on = bool(blink) ?? bool(isBlinking)
  if (on === undefined) throw new SdkError('DEVICE_BAD_REPLY', 'the reply does not say whether the LED blinks')
  return on ? 'blink' : 'off'
}

function networkOf(info: Fields, nettype: unknown, dns: unknown): Network {
  const type = str(nettype)?.toLowerCase()
  const servers = (str(dns) ?? '').split(/[\s,]+/).filter((server) => server !== '')
  return defined({
    dhcp: type === 'dhcp' ? true : type === 'static' ? false : undefined,
    ip: str(info.ipaddress),
    netmask: str(info.netmask),
    gateway: str(info.gateway),
    dns: servers.length > 0 ? servers.slice(0, 8) : undefined,
  })
}
