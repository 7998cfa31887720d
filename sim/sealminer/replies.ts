import { type Fields, round } from '../json.js'
import { sharesOf } from '../pools.js'
import { framesOf } from '../rpc.js'
import { modeNumbers, type SealminerState } from './state.js'

/** The answers of bdminer and of the pages (protocols/other-firmwares.md). */

export const frames = framesOf<SealminerState>(() => 'bdminer 4.11.1')
const { ok } = frames

const mhs = (ths: number) => round(ths * 1e6, 3)
const modeTexts = { low: 'Low Power', normal: 'Normal', high: 'High Performance' } as const

export const version = (state: SealminerState) =>
  ok(state, 22, 'BDMiner versions', { VERSION: [{ BDMiner: '4.11.1', API: '3.7' }] })

export function summary(state: SealminerState): Fields {
  const reading = state.machine.physics.read()
  const pools = state.machine.pools.read()
  const sum = (kind: Parameters<typeof sharesOf>[1]) => sharesOf(pools, kind)
  const item = {
    Elapsed: Math.floor(reading.elapsedS),
    'MHS av': mhs(reading.avgThs),
    'MHS 5s': mhs(reading.rate5sThs),
    'MHS 1m': mhs(reading.rate1mThs),
    'MHS 5m': mhs(reading.rate5mThs),
    'MHS 15m': mhs(reading.rate15mThs),
    Accepted: sum('accepted'),
    Rejected: sum('rejected'),
    Stale: sum('stale'),
    'Hardware Errors': reading.hwErrors,
    'Device Hardware%': 0,
    'Pool Rejected%': 0.11,
    'Pool Stale%': 0.04,
    'Best Share': Math.floor(1e6 + reading.workTh * 37),
    'Total MH': round(reading.workTh * 1e6),
  }
  return ok(state, 11, 'Summary', { SUMMARY: [item] })
}

export function pools(state: SealminerState): Fields {
  const items = state.machine.pools.read().map((pool) => ({
    POOL: pool.index,
    URL: pool.url,
    User: pool.user,
    Status: pool.alive ? 'Alive' : 'Dead',
    Priority: pool.index,
    Quota: 1,
    Accepted: pool.accepted,
    Rejected: pool.rejected,
    Stale: pool.stale,
    'Last Share Time': pool.lastShareAgoS === undefined ? 0 : Math.floor(state.when - pool.lastShareAgoS),
    'Stratum Active': pool.active,
    'Work Difficulty': pool.difficulty,
  }))
  return ok(state, 7, `${items.length} Pool(s)`, { POOLS: items })
}

export function stats(state: SealminerState): Fields {
  const { machine, row } = state
  const reading = machine.physics.read()
  const hottest = Math.max(0, ...reading.boards.map((board) => board.boardC))
  const parts: [string, unknown][] = []
  for (let slot = 0; slot < row.boards; slot++) {
    const board = reading.boards.find((each) => each.slot === slot)
    const of = (name: string, value: unknown) => parts.push([`${slot} ${name}`, value])
    of('Online', board !== undefined)
    of('SN', machine.boardSerials[slot])
    of('Chip Count', board?.chips ?? 0)
    of('Bad Chip Count', 0)
    of('Freq', board ? Math.round(reading.frequencyMhz) : 0)
    of('MHS(Sample)', mhs(board?.rateThs ?? 0))
    of('MHS(Ideal)', mhs(reading.targetThs / Math.max(1, reading.boards.length)))
    for (const [sensor, below] of [14, 17, 0, 2].entries())
      of(`Temp ${sensor}`, board ? round(board.boardC - below) : 0)
    of('Tune Status', reading.tuned ? 'Fine Tuning Done' : 'Raising Frequency')
  }
  for (const [index, rpm] of reading.fansRpm.entries()) parts.push([`${index} Speed`, rpm], [`${index} PWM`, 112])
  const item = {
    ...Object.fromEntries(parts),
    STATS: 0,
    ID: 'A20',
    Model: row.model,
    ASIC: row.asic,
    'Liquid Cooling': row.cooling !== 'air',
    Firmware: row.firmware,
    'Ctrl Board': row.board,
    'Ctrl Board SN': machine.serial,
    MAC: machine.mac.toLowerCase(),
    IP: machine.network.ip,
    Elapsed: Math.floor(reading.elapsedS),
    'System Uptime': Math.floor(reading.uptimeS),
    'Board Count': row.boards,
    'Chip Count': reading.boards.reduce((total, board) => total + board.chips, 0),
    'Fan Count': row.fans,
    Freq: Math.round(reading.frequencyMhz),
    Temp: round(hottest),
    'MHS(Sample)': mhs(reading.rateThs),
    'MHS(30s)': mhs(reading.rate5sThs),
    'MHS(1m)': mhs(reading.rate1mThs),
    'MHS(5m)': mhs(reading.rate5mThs),
    'MHS(15m)': mhs(reading.rate15mThs),
    'MHS(30m)': mhs(reading.rate30mThs),
    'MHS(Avg)': mhs(reading.avgThs),
    'MHS(Ideal)': mhs(reading.targetThs),
    'MHS(Rated)': mhs(reading.targetThs),
    'Mining Mode': modeTexts[state.mode],
    'PM State': machine.physics.drive.awake ? 'Running' : 'Sleep',
    'Power Limit': machine.physics.nominalW,
    'PSU Model': 'BTPSU04KSA-03.00',
    'PSU SN': `PSU${machine.serial}`,
    'PSU Firmware': '222121',
    'PSU Error': '0x00000000',
    'PSU Input Power': round(reading.powerW),
    'PSU Input Voltage': round(reading.inputV),
    'PSU Output Power': round(reading.powerW * 0.92),
    'PSU Output Voltage': 15.671,
    'PSU Output Current': round((reading.powerW * 0.92) / 15.671),
    'PSU Temp AMB': round(reading.inletC + 4),
    'PSU Fan Speed': reading.psuFanRpm,
    'Error Code': machine.has('overheated') ? 'E401' : '',
    'Error Chip': '',
    'Stratum Disconnect': !machine.pools.hasWork,
    'Tune Status': reading.tuned ? 'Fine Tuning Done' : 'Raising Frequency',
  }
  return ok(state, 70, 'BDMiner stats', { STATS: [item] })
}

export function systemInfo({ machine, row, mode, led }: SealminerState): Fields {
  const { dhcp, ip } = machine.network
  return {
    DHCP: String(dhcp),
    brand: 'Sealminer',
    miner_type: row.model,
    firmware_version: row.firmware,
    ctrl_version: row.board,
    crtl_sn: machine.serial,
    macaddr: machine.mac.toLowerCase(),
    ipaddress: ip,
    led: led ? 'on' : 'off',
    low_power: modeNumbers.low,
    normal: modeNumbers.normal,
    high_performance: modeNumbers.high,
    custom: 5,
    miningMode: String(modeNumbers[mode]),
    psu_model: 'boco_v2.0',
  }
}

export function psuStatus({ machine }: SealminerState): Fields {
  const { powerW, inletC } = machine.physics.read()
  return {
    Online: 1,
    Power: round(powerW),
    Voltage: 15.67,
    Current: 206,
    Temp: round(inletC + 4),
    StatusCode: '0x0000',
  }
}
