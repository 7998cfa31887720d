import { round } from '../json.js'
import type { BoardReading, Reading } from '../physics.js'
import { chance } from '../random.js'
import type { ProtoState } from './state.js'

/** The answers of a Proto Rig (protocols/proto-rig.md §2). */

const serialOf = ({ machine }: ProtoState, slot: number) => `HB-${machine.boardSerials[slot]}`
const ghs = (ths: number) => round(ths * 1000, 3)
const value = (unit: string, number: number) => ({ unit, value: round(number, 4) })

function powerOf(reading: Reading, board: BoardReading): number {
  const total = reading.boards.reduce((sum, each) => sum + each.rateThs, 0)
  return total > 0 ? (reading.powerW * board.rateThs) / total : 0
}

function statusOf(state: ProtoState, reading: Reading): string {
  const { machine, row } = state
  if (!machine.physics.drive.awake) return 'Stopped'
  if (!machine.pools.hasWork) return 'NoPools'
  if (reading.rateThs === 0) return 'PoweringOn'
  return reading.boards.length < row.boards ? 'DegradedMining' : 'Mining'
}

export function mining(state: ProtoState) {
  const reading = state.machine.physics.read()
  const { boards } = reading
  const mean = (take: (board: BoardReading) => number) =>
    boards.length === 0 ? 0 : boards.reduce((sum, board) => sum + take(board), 0) / boards.length
  const status = {
    status: statusOf(state, reading),
    mining_uptime_s: Math.floor(reading.elapsedS),
    reboot_uptime_s: Math.floor(reading.uptimeS),
    hashrate_ghs: ghs(reading.rateThs),
    average_hashrate_ghs: ghs(reading.avgThs),
    ideal_hashrate_ghs: ghs(reading.targetThs || state.row.nominalThs),
    power_usage_watts: round(reading.powerW, 2),
    power_target_watts: state.targetW,
    power_efficiency_jth: reading.rateThs > 0 ? round(reading.powerW / reading.rateThs, 3) : 0,
    average_hb_efficiency_jth: 0,
    average_asic_temp_c: mean((board) => board.chipAvgC),
    average_hb_temp_c: mean((board) => board.boardC),
    hw_errors: reading.hwErrors,
    hashboards_installed: state.row.boards,
    hashboards_mining: reading.rateThs > 0 ? boards.length : 0,
  }
  return { 'mining-status': status }
}

export function target({ row, targetW, goal }: ProtoState) {
  return {
    power_target_watts: targetW,
    power_target_min_watts: row.minW,
    power_target_max_watts: row.maxW,
    default_power_target_watts: Math.round(row.nominalThs * row.efficiencyJTh),
    performance_mode: goal,
    balance_bays: false,
    hash_on_disconnect: false,
  }
}

export function telemetry(state: ProtoState, levels: ReadonlySet<string>) {
  const reading = state.machine.physics.read()
  const { powerW, rateThs, inputV, inletC, psuC } = reading
  const boards = reading.boards.map((board) => boardTelemetry(state, reading, board, levels))
  return {
    timestamp: new Date(state.machine.clock.now()).toISOString(),
    ...(levels.has('miner')
      ? {
          miner: {
            hashrate: value('TH/s', rateThs),
            power: value('W', powerW),
            temperature: value('°C', Math.max(0, ...reading.boards.map((board) => board.boardC))),
            efficiency: value('J/TH', rateThs > 0 ? powerW / rateThs : 0),
          },
        }
      : {}),
    ...(levels.has('hashboard') || levels.has('asic') ? { hashboards: boards } : {}),
    ...(levels.has('psu')
      ? {
          psus: [0, 1].map((index) => ({
            index,
            serial_number: `PSU-${state.machine.serial}-${index}`,
            voltage: { unit: 'V', input: inputV, output: 14.2 },
            current: { unit: 'A', input: powerW / 2 / inputV, output: (powerW * 0.94) / 2 / 14.2 },
            power: { unit: 'W', input: powerW / 2, output: (powerW * 0.94) / 2 },
            temperature: { unit: '°C', hotspot: psuC, ambient: inletC, average: (psuC + inletC) / 2 },
          })),
        }
      : {}),
  }
}

function boardTelemetry(state: ProtoState, reading: Reading, board: BoardReading, levels: ReadonlySet<string>) {
  const { slot, rateThs, boardC } = board
  const own = powerOf(reading, board)
  return {
    index: slot,
    serial_number: serialOf(state, slot),
    ...(levels.has('hashboard')
      ? {
          hashrate: value('TH/s', rateThs),
          power: value('W', own),
          efficiency: value('J/TH', rateThs > 0 ? own / rateThs : 0),
          temperature: { unit: '°C', inlet: boardC - 8, outlet: boardC + 7, average: boardC },
          voltage: value('V', rateThs > 0 ? 14.2 : 0),
          current: value('A', own / 14.2),
        }
      : {}),
    ...(levels.has('asic') ? { asics: chips(state, board) } : {}),
  }
}

function chips({ row, machine }: ProtoState, board: BoardReading) {
  const { rateThs, chipMinC, chipMaxC, slot } = board
  const part = (chip: number) => chance(machine.seed + 70 + slot, chip)
  const each = (take: (chip: number) => number) =>
    Array.from({ length: row.chips }, (_, chip) => (chip < board.chips ? round(take(chip), 4) : 0))
  return {
    hashrate: { unit: 'TH/s', values: each((chip) => (rateThs / board.chips) * (0.95 + 0.1 * part(chip))) },
    temperature: { unit: '°C', values: each((chip) => chipMinC + (chipMaxC - chipMinC) * part(chip)) },
  }
}

/** A board that is lost is still in its bay: the inventory knows it. */
export function hashboards(state: ProtoState) {
  const { row } = state
  const info = row.bays.map((slot, at) => ({
    hb_sn: serialOf(state, at),
    slot,
    port: slot - 1,
    board: 'B4',
    chip_id: row.chip,
    mining_asic: 'BZM',
    mining_asic_count: row.chips,
    temp_sensor_count: 2,
  }))
  return { 'hashboards-info': info }
}

export function hashboard(state: ProtoState, serial: string) {
  const { row, machine } = state
  const at = row.bays.findIndex((_, index) => serialOf(state, index) === serial)
  if (at < 0) return undefined
  const reading = machine.physics.read()
  const board = reading.boards.find(({ slot }) => slot === at)
  const hot = machine.has('overheated')
  const stats = {
    hb_sn: serial,
    slot: row.bays[at],
    status: board ? (hot ? 'Overheated' : board.rateThs > 0 ? 'Running' : 'Stopped') : 'Error',
    power_usage_watts: board ? powerOf(reading, board) : 0,
    voltage_mv: board && board.rateThs > 0 ? 14_200 : 0,
    avg_asic_temp_c: board?.chipAvgC ?? 0,
    max_asic_temp_c: board?.chipMaxC ?? 0,
    inlet_temp_c: board ? board.boardC - 8 : 0,
    outlet_temp_c: board ? board.boardC + 7 : 0,
    hashrate_ghs: ghs(board?.rateThs ?? 0),
    ideal_hashrate_ghs: ghs(row.nominalThs / row.boards),
    efficiency_jth: 0,
  }
  return { 'hashboard-stats': stats }
}

export function cooling({ machine, fan }: ProtoState) {
  const { fansRpm } = machine.physics.read()
  const fans = fansRpm.map((rpm, index) => ({ slot: index + 1, rpm, speed_percentage: fan.dutyPct }))
  const { mode, dutyPct, targetC } = fan
  return {
    'cooling-status': { fan_mode: mode, speed_percentage: dutyPct, target_temperature_c: targetC, fans },
  }
}

export function hardware(state: ProtoState) {
  const { machine } = state
  return {
    'hardware-info': {
      ...hashboards(state),
      'cb-info': { board_id: 'CB-001', machine_name: 'Rig', serial_number: machine.serial },
      'fans-info': Array.from({ length: state.row.fans }, (_, index) => ({
        name: `Fan ${index + 1}`,
        slot: index + 1,
        min_rpm: 1000,
        max_rpm: 6600,
      })),
      'psus-info': [0, 1].map((index) => ({
        slot: index + 1,
        manufacturer: 'Proto',
        model: 'PSU-3600W',
        psu_sn: `PSU-${machine.serial}-${index}`,
        firmware: { app_version: '1.2.0', bootloader_version: '1.0.0' },
      })),
    },
  }
}

export function pools({ machine }: ProtoState) {
  const list = machine.pools.read().map((pool) => ({
    id: pool.index,
    name: `Pool ${pool.index + 1}`,
    priority: pool.index,
    url: pool.url,
    user: pool.user,
    status: pool.active ? 'Active' : pool.alive ? 'Idle' : 'Dead',
    protocol: 'SV1',
    accepted: pool.accepted,
    rejected: pool.rejected,
    difficulty: String(pool.difficulty),
    enabled: true,
  }))
  return { pools: list }
}

export function network({ machine }: ProtoState) {
  const { dhcp, ip, netmask, gateway } = machine.network
  return { 'network-info': { mac: machine.mac, dhcp, ip, netmask, gateway, hostname: machine.hostname } }
}

export function errors({ machine }: ProtoState) {
  return machine.troubles.flatMap(({ fault, since }) => {
    const timestamp = Math.floor(since / 1000)
    if (fault.kind === 'fanStopped')
      return [{ source: 'fan', slot: fault.index + 1, error_code: 'FanStalled', timestamp, message: 'Fan stalled' }]
    if (fault.kind === 'boardLost')
      return [
        {
          source: 'hashboard',
          slot: fault.slot + 1,
          error_code: 'HashboardNotDetected',
          timestamp,
          message: 'Hashboard not detected',
        },
      ]
    return []
  })
}

export function system({ machine, firmware }: ProtoState) {
  const info = {
    product_name: 'Proto Rig',
    manufacturer: 'Proto',
    model: 'Rig',
    board: 'C3',
    cb_sn: machine.serial,
    soc: 'STM32MP157F',
    os: { name: 'ProtoOS', version: firmware, variant: 'release', hostname: machine.hostname },
    sw_update_status: { current_version: firmware, status: 'current' },
    uptime_seconds: Math.floor(machine.physics.read().uptimeS),
  }
  return { 'system-info': info }
}
