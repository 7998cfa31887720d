import { type Fields, round } from '../json.js'
import type { BoardReading, Reading } from '../physics.js'
import type { AntminerState } from './state.js'

/** The replies of the CGI, which `new_api` on 4028 gives too (protocols/antminer.md §1.3). */

export const ghs = (ths: number) => round(ths * 1000, 2)

function envelope(state: AntminerState, name: string) {
  const { compiled, minerVersion } = state.row
  return {
    STATUS: { STATUS: 'S', when: state.when, Msg: name, api_version: '1.0.0' },
    INFO: { miner_version: minerVersion, CompileTime: compiled, type: state.type },
  }
}

export function summary(state: AntminerState): Fields {
  // Asleep there is no mining process: the list is empty.
  if (!state.isOn) return { ...envelope(state, 'summary'), SUMMARY: [] }
  const reading = state.read()
  const item = {
    elapsed: Math.floor(reading.elapsedS),
    ...rates(state, reading),
    rate_unit: 'GH/s',
    hw_all: reading.hwErrors,
    bestshare: Math.floor(1e6 + reading.workTh * 37),
    status: findings(state),
  }
  return { ...envelope(state, 'summary'), SUMMARY: [item] }
}

function rates(state: AntminerState, reading: Reading) {
  return {
    rate_5s: ghs(reading.rate5sThs),
    rate_30m: ghs(reading.rate30mThs),
    rate_avg: ghs(reading.avgThs),
    rate_ideal: round(state.row.nominalThs * 1000, 1),
  }
}

/** The alarm list: `s` good, `w` warning, `e` error. */
function findings(state: AntminerState) {
  const { machine } = state
  const finding = (type: string, bad: boolean, msg: string) => {
    return { type, status: bad ? 'e' : 's', code: bad ? 1 : 0, msg: bad ? msg : '' }
  }
  return [
    finding('rate', machine.has('boardLost'), 'hashboard lost'),
    finding('network', !machine.pools.hasWork, 'all pools are dead'),
    finding('fans', machine.has('fanStopped'), 'fan lost'),
    finding('temp', machine.has('overheated'), 'over temperature'),
  ]
}

export function stats(state: AntminerState): Fields {
  const base = envelope(state, 'stats')
  if (!state.isOn) return { ...base, STATS: [] }
  const { row, machine } = state
  const reading = state.read()
  const item = {
    elapsed: Math.floor(reading.elapsedS),
    ...rates(state, reading),
    ...(row.stats === 'rich' ? { rate_sale: row.nominalThs * 1000 } : {}),
    rate_unit: 'GH/s',
    chain_num: reading.boards.length,
    fan_num: row.fans,
    fan: reading.fansRpm,
    hwp_total: hardwareErrorShare(reading),
    ...(row.stats === 'rich' ? richFields(state, reading) : {}),
    ...(row.stats === 'plain' ? {} : { watt: round(reading.powerW) }),
    chain: reading.boards.map((board) => chain(state, reading, board, machine.boardSerials[board.slot]!)),
  }
  return { ...base, STATS: [item] }
}

function richFields(state: AntminerState, reading: Reading) {
  return {
    'miner-mode': state.workMode,
    'freq-level-mode': false,
    'freq-level-min': 0,
    'freq-level': Number(state.freqLevel),
    jt: reading.rateThs > 0 ? round(reading.powerW / reading.rateThs, 2) : 0,
    ambient_temp: round(reading.ambientC, 2),
    psu: { index: 0, status: 'ok' },
  }
}

function hardwareErrorShare({ hwErrors, workTh }: Reading): number {
  return workTh > 0 ? round(hwErrors / (workTh / 0.0043), 6) : 0
}

function chain(state: AntminerState, reading: Reading, board: BoardReading, sn: string) {
  const { row } = state
  return {
    index: board.slot,
    freq_avg: round(reading.frequencyMhz),
    rate_ideal: round((row.nominalThs / row.boards) * 1000, 1),
    rate_real: ghs(board.rateThs),
    asic_num: row.chips,
    asic: chipMap(row.chips, row.chips - board.chips, row.group),
    ...temperatures(state, reading, board),
    hw: Math.floor(reading.hwErrors / row.boards),
    eeprom_loaded: true,
    sn,
    hwp: hardwareErrorShare(reading),
  }
}

/** Sensors on the air side, on the board and in chips: cool where the coolant comes in, hot where it leaves. */
export function temperatures({ row }: AntminerState, reading: Reading, board: BoardReading) {
  const { inletC, outletC } = reading
  const above = board.boardC - inletC
  const at = (share: number) => Math.round(inletC + above * share)
  const air = { I: at(0.35), O: at(0.75), B: at(0.97) }
  const pic = [...row.pic].map((place) => air[place as keyof typeof air])
  const pcb = row.cooling === 'hydro' ? [at(0.6), at(0.9), at(0.95), at(1)] : [at(0.58), at(0.95), at(1), at(1)]
  const chip = [board.chipMinC - above * 0.2, board.chipMinC - above * 0.2, board.chipMaxC - 1, board.chipMaxC]
  const coolant = [Math.round(inletC), Math.round(outletC)]
  return { temp_pic: pic, temp_pcb: pcb, temp_chip: row.coolantPair ? coolant : chip.map((value) => Math.round(value)) }
}

const maps = new Map<string, string>()

/** ` ooooo ooooo ...`: `o` for a good chip, `x` for a bad one, in groups. Made once for each count. */
export function chipMap(chips: number, bad: number, group: number): string {
  const key = `${chips}/${bad}/${group}`
  let map = maps.get(key)
  if (map === undefined) {
    const letters = 'o'.repeat(chips - bad) + 'x'.repeat(bad)
    map = letters.replace(new RegExp(`.{1,${group}}`, 'g'), ' $&')
    maps.set(key, map)
  }
  return map
}

export function pools(state: AntminerState): Fields {
  const items = state.machine.pools.read().map((pool) => ({
    index: pool.index,
    url: pool.url,
    user: pool.user,
    status: pool.alive ? 'Alive' : 'Dead',
    priority: pool.index,
    getworks: Math.floor(pool.accepted * 0.4),
    accepted: pool.accepted,
    rejected: pool.rejected,
    discarded: 0,
    stale: pool.stale,
    diff: pool.active ? short(pool.difficulty) : '',
    diff1: 0,
    diffa: pool.accepted * pool.difficulty,
    diffr: pool.rejected * pool.difficulty,
    diffs: pool.stale * pool.difficulty,
    lsdiff: pool.accepted > 0 ? pool.difficulty : 0,
    lstime: ago(pool.lastShareAgoS),
  }))
  return { ...envelope(state, 'pools'), POOLS: state.isOn ? items : [] }
}

/** `524K`, `4M` */
export function short(difficulty: number): string {
  if (difficulty >= 1_048_576) return `${Math.floor(difficulty / 1e6)}M`
  return difficulty >= 1024 ? `${Math.floor(difficulty / 1000)}K` : String(difficulty)
}

/** `h:mm:ss` ago; `0` for never. */
export function ago(seconds: number | undefined): string {
  if (seconds === undefined) return '0'
  const whole = Math.floor(seconds)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`
}

export function config(state: AntminerState): Fields {
  const { row, machine } = state
  const common = {
    pools: state.pools,
    'bitmain-fan-ctrl': state.fanCtrl,
    'bitmain-fan-pwm': state.fanPwm,
    'bitmain-work-mode': row.config === 'full' ? String(state.workMode) : state.workMode,
    'bitmain-hashrate-percent': state.hashratePercent,
  }
  if (row.config === 'hydro') return { ...common, 'bitmain-user-ip-cat': false }
  if (row.config === 'release') return common
  return {
    ...common,
    'api-listen': true,
    'api-network': true,
    'api-groups': 'A:stats:pools:devs:summary:version',
    'api-allow': 'A:0/0,W:*',
    'bitmain-use-vil': true,
    'bitmain-freq': String(machine.hardware.frequencyMhz),
    'bitmain-voltage': '1400',
    'bitmain-ccdelay': '0',
    'bitmain-pwth': '0',
    'bitmain-freq-level': state.freqLevel,
  }
}

export function systemInfo(state: AntminerState): Fields {
  const { machine, row } = state
  const { network } = machine
  return {
    minertype: state.type,
    nettype: network.dhcp ? 'DHCP' : 'Static',
    netdevice: 'eth0',
    macaddr: machine.mac,
    hostname: machine.hostname,
    ipaddress: network.ip,
    netmask: network.netmask,
    gateway: network.gateway,
    dnsservers: network.dns.join(','),
    system_mode: 'GNU/Linux',
    system_kernel_version: `Linux 4.9.113 #1 SMP PREEMPT ${row.compiled}`,
    system_filesystem_version: state.firmware,
    firmware_type: row.release,
    Algorithm: 'sha256d',
    ...(row.release === 'Release' ? { serinum: machine.serial } : {}),
  }
}

export function networkInfo({ machine, networkConf }: AntminerState): Fields {
  const { network } = machine
  const isFixed = !networkConf.dhcp
  return {
    nettype: network.dhcp ? 'DHCP' : 'Static',
    netdevice: 'eth0',
    macaddr: machine.mac,
    ipaddress: network.ip,
    netmask: network.netmask,
    conf_nettype: networkConf.dhcp ? 'DHCP' : 'Static',
    conf_hostname: networkConf.hostname,
    conf_ipaddress: isFixed ? networkConf.ip : '',
    conf_netmask: isFixed ? networkConf.netmask : '',
    conf_gateway: isFixed ? networkConf.gateway : '',
    conf_dnsservers: isFixed ? networkConf.dns : '',
  }
}

/** One point a minute of the last hour. */
export function chart(state: AntminerState): Fields {
  const { rate5sThs } = state.read()
  const points = Array.from({ length: state.isOn ? 60 : 0 }, () => ghs(rate5sThs))
  return {
    ...envelope(state, 'rate'),
    RATE: [{ unit: 'GH/s', xAxis: points.map((_, at) => `${60 - at}m`), series: [{ name: 'rate_5s', data: points }] }],
  }
}

export function log(state: AntminerState): string {
  const at = new Date(state.machine.clock.now()).toISOString().slice(0, 19).replace('T', ' ')
  return Array.from({ length: 100 }, (_, line) => `${at} simulated log line ${line}`).join('\n')
}
