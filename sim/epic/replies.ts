import { type Fields, round } from '../json.js'
import type { BoardReading } from '../physics.js'
import { sharesOf } from '../pools.js'
import { chance } from '../random.js'
import type { EpicState } from './state.js'

/** The answers of ePIC's firmware (protocols/epic.md §2). */

const mhs = (ths: number) => round(ths * 1e6)

function stateOf({ machine }: EpicState, rateThs: number): string {
  const { awake, hasWork } = machine.physics.drive
  if (!awake || !hasWork) return 'Idling'
  return rateThs > 0 ? 'Mining' : 'Starting'
}

export function summary(state: EpicState): Fields {
  const { machine, row, tune } = state
  const reading = machine.physics.read()
  const pools = machine.pools.read()
  const sum = (kind: Parameters<typeof sharesOf>[1]) => sharesOf(pools, kind)
  const active = pools.find((pool) => pool.active)
  const ideal = row.nominalThs / row.boards
  const unit = tune.algo === 'Power' ? 'W' : 'TH/s'
  const fans = Array.from({ length: 12 }, (_, at) => [`Fans Speed ${at + 1}`, reading.fansRpm[at] ?? null])
  const now = Math.floor(machine.clock.now() / 1000)
  return {
    Hostname: machine.hostname,
    Software: state.software,
    'OS Type': row.system,
    Status: {
      'Operating State': stateOf(state, reading.rateThs),
      'Last Command': null,
      'Last Command Result': null,
      'Last Error': machine.has('boardLost') ? 'RxMissing' : null,
    },
    Session: {
      Uptime: Math.floor(reading.elapsedS),
      'Startup Timestamp': now - Math.floor(reading.elapsedS),
      Accepted: sum('accepted'),
      Rejected: sum('rejected'),
      Submitted: sum('accepted') + sum('rejected'),
      'Average MHs': mhs(reading.avgThs),
      LastAverageMHs: { Hashrate: mhs(reading.rate30mThs), Timestamp: now },
      Difficulty: machine.pools.difficulty,
      'Active HBs': reading.boards.length,
    },
    HBs: reading.rateThs > 0 ? reading.boards.map((board) => boardOf(board, ideal, reading.frequencyMhz)) : [],
    HBStatus: Array.from({ length: row.boards }, (_, Index) => ({
      Index,
      Detected: reading.boards.some(({ slot }) => slot === Index),
      Enabled: true,
    })),
    Fans: {
      'Fan Mode': state.fanMode,
      'Fans Speed': 'Manual' in state.fanMode ? state.fanMode.Manual : 70,
      'Minimum Working Fans': state.minFans,
    },
    'Fans Rpm': Object.fromEntries(fans),
    'Power Supply Stats': {
      'Input Current': 0,
      'Input Power': round(reading.powerW, 3),
      'Input Voltage': 0,
      'Output Current': 0,
      'Output Power': 0,
      'Output Voltage': 12.6,
      'Target Voltage': 12_600,
    },
    Stratum: {
      'Average Latency': 0.04,
      'Config Id': Math.max(0, active?.index ?? 0),
      'Current Pool': active?.url.replace(/^.*:\/\//, '') ?? '',
      'Current User': active?.user ?? '',
      IsPoolConnected: active !== undefined,
      'Worker Unique Id': state.uniqueId,
      'Worker Unique Id Variant': 'IpAddress',
    },
    StratumConfigs: machine.pools.entries.map(({ url, user, pass }) => ({ pool: url, login: user, password: pass })),
    Mining: { Algorithm: 'SHA-256', Coin: 'BTC' },
    PerpetualTune: {
      Running: tune.running,
      Algorithm: {
        [tune.algo]: {
          Target: tune.target,
          Unit: unit,
          'Min Throttle Target': tune.minThrottle,
          'Throttle Step': tune.step,
          'Throttle Target': machine.has('overheated') ? round(tune.target * 0.7) : null,
          Optimized: reading.tuned,
        },
      },
    },
    PresetInfo: { 'Target Power': machine.physics.nominalW },
    Misc: { 'Critical Temp': 100, 'Shutdown Temp': 85, 'Locate Miner State': state.blinks },
    IdleOnConnectionLost: true,
    Overdrive: false,
  }
}

function boardOf({ slot, rateThs, boardC }: BoardReading, ideal: number, mhz: number): Fields {
  return {
    Index: slot,
    'Core Clock': [],
    'Core Clock Avg': round(mhz, 2),
    Hashrate: [mhs(rateThs), round((rateThs / ideal) * 100, 3), 0.8],
    'Input Voltage': 12.6,
    'Input Current': 0,
    'Input Power': 0,
    'Output Voltage': 0,
    'Output Current': 0,
    'Output Power': 0,
    Temperature: round(boardC, 3),
  }
}

export function capabilities(state: EpicState): Fields {
  const { row, machine, limits } = state
  const seen = machine.physics.read().boards
  return {
    Model: row.title,
    'Chip Type': row.chip,
    'Max HBs': row.boards,
    'Performance Estimator': { 'Chip Count': row.chips },
    'Default Hashrate': row.nominalThs,
    'Default Clock': row.frequencyMhz,
    'Default Voltage': 12_900,
    'Board Serial Numbers': seen.map(({ slot }) => machine.boardSerials[slot]),
    'Miner Serial Number': machine.serial,
    'Control Board Version': { cpuHardware: 'STM32 (Device Tree Support)', cpuSerial: machine.serial },
    'Psu Info': { FW: 25, 'PSU Type': 118, 'Min Vout': 11_877, 'Max Vout': 15_182 },
    PerpetualTune: Object.entries(limits).map(([algorithm, [min, max]]) => ({ algorithm, min, max })),
    'Temp Sensor Info': { Count: 2, Type: 'Board' },
  }
}

type PerBoard = readonly { readonly Index: number; readonly Data: readonly unknown[]; readonly Total: number }[]

const perBoard = ({ machine }: EpicState, take: (board: BoardReading) => readonly unknown[]): PerBoard =>
  machine.physics.read().boards.map((board) => ({ Index: board.slot, Data: take(board), Total: 0 }))

export const temps = (state: EpicState) => perBoard(state, ({ boardC }) => [round(boardC - 12, 3), round(boardC, 3)])

/** This firmware has no sensor in the chips of these boards. */
export const chipTemps = (state: EpicState) => perBoard(state, () => Array(state.row.chips).fill(0))

export function chipRates(state: EpicState): PerBoard {
  const { row, machine } = state
  return perBoard(state, ({ slot, chips, rateThs }) =>
    Array.from({ length: row.chips }, (_, chip) => {
      const works = chip < chips && rateThs > 0
      const share = 0.9 + 0.2 * chance(machine.seed + 80 + slot, chip)
      return works ? [round((rateThs / chips) * share * 1e6, 2), round(share * 100, 1), 3.9] : [0, 0, 0]
    }),
  )
}

export function network({ machine }: EpicState): Fields {
  const { dhcp, ip, netmask, gateway, dns } = machine.network
  return { [dhcp ? 'dhcp' : 'static']: { address: ip, netmask, gateway, dns: dns[0], mac_address: machine.mac } }
}
