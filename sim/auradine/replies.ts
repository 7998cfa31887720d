import { type Fields, round } from '../json.js'
import { sharesOf } from '../pools.js'
import { chance } from '../random.js'
import { framesOf } from '../rpc.js'
import type { AuradineState } from './state.js'

/** The answers of GCMiner and FluxOS (protocols/other-firmwares.md). */

export const frames = framesOf<AuradineState>(({ row }) => `FluxOS-${row.firmware}`)
const { ok } = frames

const mhs = (ths: number) => round(ths * 1e6, 2)

export const version = (state: AuradineState) =>
  ok(state, 22, 'GCMiner versions', { VERSION: [{ API: '1.0', GCMiner: '0.5' }] })

export function summary(state: AuradineState): Fields {
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
    'Hardware Errors': reading.hwErrors,
    'Total MH': round(reading.workTh * 1e6),
    Utility: 3.5,
  }
  return ok(state, 11, 'Summary', { SUMMARY: [item] })
}

export function devs(state: AuradineState): Fields {
  const { boards } = state.machine.physics.read()
  const items = boards.map(({ slot, boardC, rateThs }) => ({
    DEV: slot + 1,
    ID: slot + 1,
    Name: 'ASICBoard',
    Enabled: true,
    Status: 'Alive',
    Temperature: round(boardC, 2),
    'MHS 5s': mhs(rateThs),
  }))
  return ok(state, 9, `${items.length} Dev(s)`, { DEVS: items })
}

export function asccount(state: AuradineState): Fields {
  const { boards } = state.machine.physics.read()
  const chips = boards.reduce((total, board) => total + board.chips, 0)
  return ok(state, 104, 'ASC count', { ASCCount: [{ AsicCount: chips, BoardCount: boards.length }] })
}

export function pools(state: AuradineState): Fields {
  const items = state.machine.pools.read().map((pool) => ({
    POOL: pool.index,
    URL: pool.url,
    User: pool.user,
    Status: pool.alive ? 'Alive' : 'Dead',
    'Stratum Active': pool.active,
    Priority: pool.index,
    Quota: 1,
    Accepted: pool.accepted,
    Rejected: pool.rejected,
    Stale: pool.stale,
    'Work Difficulty': pool.difficulty,
  }))
  return ok(state, 7, `${items.length} Pool(s)`, { POOLS: items })
}

export function ipreport(state: AuradineState): Fields {
  const { machine, row } = state
  const { mac, serial, hostname, network, boardSerials } = machine
  const item = {
    command: 'ipreport',
    model: row.model,
    version: row.firmware,
    InternalType: row.type,
    SerialNo: serial,
    HBSerialNo: boardSerials,
    ip: network.ip,
    mac: mac.toLowerCase(),
    hostname,
  }
  return ok(state, 620, 'IP Report', { IPReport: [item] })
}

const fanMaxRpm = 7700

export function fan(state: AuradineState): Fields {
  const items = state.machine.physics.read().fansRpm.map((rpm, index) => ({
    ID: index + 1,
    Max: fanMaxRpm,
    Speed: rpm,
    Target: Math.round((fanMaxRpm * state.fanPct) / 100),
  }))
  return ok(state, 510, `Total fans: ${items.length}`, { Fan: items })
}

const ledTexts: Readonly<Record<number, string>> = { 2: 'Normal', 3: 'Locate miner', 4: 'Temperature high' }

export function led(state: AuradineState): Fields {
  const code = state.machine.has('overheated') ? 4 : state.led
  return ok(state, 530, 'Total LEDs 2', { LED: [{ Code: code, LED1: 1, LED2: 1, Msg: ledTexts[code] ?? 'Unknown' }] })
}

export function mode(state: AuradineState): Fields {
  const item = { Mode: state.mode, Power: state.watts, Ths: state.ths, Sleep: state.asleep ? 'on' : 'off' }
  return ok(state, 540, 'Operating mode', { Mode: [item] })
}

export function psu(state: AuradineState): Fields {
  const { powerW, inputV, psuFanRpm } = state.machine.physics.read()
  const unit = (value: number, name: string) => `${value.toFixed(2)}${name}`
  const item = {
    PowerIn: unit(powerW, 'W'),
    PowerOut: unit(powerW * 0.94, 'W'),
    PoutMax: unit(state.row.mostW, 'W'),
    Vin: unit(inputV, 'V'),
    Iin: unit(powerW / inputV, 'A'),
    Vout: unit(11.53, 'V'),
    VoutSet: unit(11.5, 'V'),
    Iout: unit((powerW * 0.94) / 11.53, 'A'),
    FanSpeed1: unit(psuFanRpm, ' RPM'),
    FanSpeed2: unit(psuFanRpm, ' RPM'),
  }
  return ok(state, 570, 'PSU status', { PSU: [item] })
}

export function temperature(state: AuradineState): Fields {
  const { boards, ambientC } = state.machine.physics.read()
  const list = (values: readonly number[]) => values.map((value, ID) => ({ ID, Temperature: value }))
  const items = boards.map((board) => ({
    ID: board.slot + 1,
    Name: `Hash Board ${board.slot + 1}`,
    BoardTemp: list([board.boardC - 9, board.boardC - 8, board.boardC, board.boardC + 3, board.boardC + 4]),
    ChipTemp: list([board.chipMinC, board.chipAvgC, board.chipMaxC]),
  }))
  const control = { ID: 0, Name: 'Control Board', BoardTemp: list([ambientC + 3]), ChipTemp: null }
  return ok(state, 590, 'System temperature', { Temperature: [control, ...items] })
}

export function frequency(state: AuradineState): Fields {
  const { boards, frequencyMhz } = state.machine.physics.read()
  const items = boards.map(({ slot }) => ({
    ID: slot + 1,
    Name: `Hash Board ${slot + 1}`,
    ChipFrequency: Array.from({ length: state.row.chips }, (_, ID) => ({
      ID,
      Frequency: round(frequencyMhz * (0.98 + 0.04 * chance(state.machine.seed + slot, ID)), 2),
    })),
  }))
  return ok(state, 640, 'System frequency', { Frequency: items })
}
