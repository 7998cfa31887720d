import { type Fields, round } from '../json.js'
import { sharesOf } from '../pools.js'
import { framesOf } from '../rpc.js'
import type { LuxosState } from './state.js'

/** The answers of LUXminer (protocols/luxos.md §4). */

const frames = framesOf<LuxosState>(({ row }) => `LUXminer ${row.daemon}`)
export const { ok: reply, refusal } = frames

const ghs = (ths: number) => round(ths * 1e3, 2)
const mhs = (ths: number) => round(ths * 1e6, 3)

function version(state: LuxosState): Fields {
  const { row } = state
  const item = {
    API: '3.7',
    CompileTime: row.compiled,
    LUXminer: row.daemon,
    Miner: row.firmware,
    Type: `Antminer ${row.model}`,
  }
  return reply(state, 22, 'LUXminer versions', { VERSION: [item] })
}

function summary(state: LuxosState): Fields {
  const reading = state.machine.physics.read()
  const pools = state.machine.pools.read()
  const sum = (kind: Parameters<typeof sharesOf>[1]) => sharesOf(pools, kind)
  const item = {
    Elapsed: Math.floor(reading.elapsedS),
    'GHS 5s': ghs(reading.rate5sThs),
    'GHS 1m': ghs(reading.rate1mThs),
    'GHS 5m': ghs(reading.rate5mThs),
    'GHS 15m': ghs(reading.rate15mThs),
    'GHS 30m': ghs(reading.rate30mThs),
    'GHS 24h': ghs(reading.avgThs),
    'GHS av': ghs(reading.avgThs),
    Accepted: sum('accepted'),
    Rejected: sum('rejected'),
    Stale: sum('stale'),
    'Hardware Errors': reading.hwErrors,
    'Device Hardware%': 0,
    'Pool Rejected%': 0.0773,
    'Pool Stale%': 0,
    'Best Share': Math.floor(1e6 + reading.workTh * 37),
  }
  return reply(state, 11, 'Summary', { SUMMARY: [item] })
}

function devs(state: LuxosState): Fields {
  const { machine, row, profile } = state
  const reading = machine.physics.read()
  const items = reading.boards.map((board) => ({
    ASC: board.slot,
    ID: board.slot,
    Board: row.board,
    Connector: ['J7', 'J9', 'J8'][board.slot] ?? `J${board.slot + 7}`,
    SerialNumber: machine.boardSerials[board.slot],
    Enabled: 'Y',
    Status: machine.physics.drive.awake ? 'Alive' : 'Dead',
    IsRamping: machine.physics.drive.awake && !reading.tuned,
    IsUserShutdown: false,
    'MHS 5s': mhs(board.rateThs),
    'MHS av': mhs(board.avgThs),
    'Nominal MHS': mhs(profile.ths / row.boards),
    'Hardware Errors': 0,
    Temperature: round(board.boardC),
    Profile: profile.name,
  }))
  // They come in no order.
  return reply(state, 9, `${items.length} ASC(s)`, { DEVS: items.reverse() })
}

function stats(state: LuxosState): Fields {
  const { machine, row } = state
  const reading = machine.physics.read()
  const chains: [string, unknown][] = []
  for (let slot = 0; slot <= row.boards; slot++) {
    const board = reading.boards.find((each) => each.slot === slot)
    const of = (name: string, value: unknown) => chains.push([`${name}${slot + 1}`, value])
    of('chain_acn', board?.chips ?? 0)
    of('chain_acs', board ? ` ${'o'.repeat(board.chips)}` : '')
    of('chain_rate', String(ghs(board?.avgThs ?? 0)))
    of('freq', board ? reading.frequencyMhz : 0)
  }
  const fans = reading.fansRpm.map((rpm, index): [string, number] => [`fan${index + 1}`, rpm])
  const item = {
    Elapsed: Math.floor(reading.elapsedS),
    'GHS 5s': ghs(reading.rate5sThs),
    'GHS av': ghs(reading.avgThs),
    ID: 'BTM_SOC0',
    Mode: 2,
    fan_num: row.fans,
    ...Object.fromEntries([...chains, ...fans]),
    total_rateideal: ghs(state.profile.ths),
    rate_unit: 'GH',
  }
  const about = { CompileTime: row.compiled, Miner: row.firmware, Type: `Antminer ${row.model}` }
  return reply(state, 70, 'LUXminer stats', { STATS: [about, item] })
}

/** Between intake and exhaust of a board, °C. */
const acrossC = 13

function temps(state: LuxosState): Fields {
  const items = state.machine.physics.read().boards.map(({ slot, boardC }) => {
    const [hot, cold] = [round(boardC), round(boardC - acrossC)]
    return { TEMP: slot, ID: slot, TopLeft: hot, BottomLeft: hot, TopRight: cold, BottomRight: cold }
  })
  return reply(state, 201, `${items.length} Temp(s)`, { TEMPS: items })
}

function fans(state: LuxosState): Fields {
  const { fansRpm } = state.machine.physics.read()
  const items = fansRpm.map((rpm, index) => ({
    FAN: `FAN${index + 1}`,
    ID: index,
    RPM: rpm,
    Speed: state.fanSpeed ?? Math.min(100, round(rpm / 66)),
  }))
  const control = { MinFans: state.minFans, PowerOffSpeed: 20 }
  return reply(state, 202, `${items.length} Fan(s)`, { FANS: items, FANCTRL: [control] })
}

function pools(state: LuxosState): Fields {
  const items = state.machine.pools.read().map((pool) => ({
    POOL: pool.index,
    GROUP: 0,
    URL: pool.url,
    User: pool.user,
    Status: pool.alive ? 'Alive' : 'Dead',
    Priority: pool.index,
    Quota: 1,
    Accepted: pool.accepted,
    Rejected: pool.rejected,
    Stale: pool.stale,
    'Last Share Time': clockText(pool.lastShareAgoS ?? 0),
    Diff: '32K',
    'Stratum Active': pool.active,
    'Stratum Difficulty': pool.active ? pool.difficulty : 0,
  }))
  return reply(state, 7, `${items.length} Pool(s)`, { POOLS: items })
}

function clockText(seconds: number): string {
  const parts = [seconds / 3600, (seconds / 60) % 60, seconds % 60]
  return parts.map((part) => String(Math.floor(part)).padStart(2, '0')).join(':')
}

function config(state: LuxosState): Fields {
  const { machine, row, profile } = state
  const { awake } = machine.physics.drive
  const { network } = machine
  const item = {
    'ASC Count': row.boards,
    ControlBoardType: row.controlBoard,
    Cooling: 'Air',
    CurtailMode: awake ? 'None' : 'Sleep',
    DHCP: network.dhcp,
    'DNS Servers': network.dns.join(' '),
    FeeStatus: 'Ok',
    Gateway: network.gateway,
    GreenLed: 'auto',
    Hostname: machine.hostname,
    IPAddr: network.ip,
    ImmersionMode: false,
    IsAtmEnabled: state.atm,
    IsPowerSupplyOn: awake,
    IsTuning: false,
    MACAddr: machine.mac.toLowerCase(),
    Model: `Antminer ${row.model}`,
    NameplateTHS: row.nominalThs,
    Netmask: network.netmask,
    OS: 'LuxOS',
    PSUHwVersion: '75',
    PSULabel: row.psu,
    'Pool Count': machine.pools.entries.length,
    Profile: profile.name,
    ProfileStep: String(profile.step),
    RedLed: state.redLed,
    SerialNumber: machine.serial,
    SystemStatus: machine.has('overheated') ? 'Overheated' : 'Normal',
  }
  return reply(state, 33, 'LUXminer config', { CONFIG: [item] })
}

function profiles(state: LuxosState): Fields {
  const items = state.profiles.map(({ name, step, mhz, ths, watts }) => ({
    'Profile Name': name,
    Step: String(step),
    Frequency: mhz,
    Hashrate: ths,
    Watts: watts,
    Voltage: 12.6,
    IsDynamic: true,
    IsTuned: step === 0,
  }))
  return reply(state, 323, 'List profiles', { PROFILES: items })
}

function events(state: LuxosState): Fields {
  const items = state.machine.troubles.flatMap(({ fault, since }) =>
    fault.kind === 'boardLost'
      ? [
          {
            Code: 'REBOOT_NOT_HASHING',
            CreatedAt: new Date(since).toISOString(),
            Description: 'Board reboot due to it not hashing.',
            Target: 'BOARD',
            ID: fault.slot,
          },
        ]
      : [],
  )
  return reply(state, 357, 'Miner Events', { EVENTS: items })
}

/** What is asked without a session and without a parameter. */
export const reads: Readonly<Record<string, (state: LuxosState) => Fields>> = {
  version,
  summary,
  devs,
  stats,
  temps,
  fans,
  pools,
  config,
  profiles,
  events,
  power: (state) =>
    reply(state, 311, 'Power usage', {
      POWER: [{ PSU: false, Watts: Math.round(state.machine.physics.read().powerW) }],
    }),
  groups: (state) => reply(state, 324, '1 Group(s)', { GROUPS: [{ GROUP: 0, Name: 'default', Quota: 1 }] }),
  tempctrl: (state) => {
    const { target, hot, dangerous } = state.temps
    const item = {
      Mode: state.fanSpeed === undefined ? 'Automatic' : 'Manual',
      Target: target,
      Hot: hot,
      Dangerous: dangerous,
    }
    return reply(state, 207, 'Temp control', { TEMPCTRL: [item] })
  },
  atm: (state) => reply(state, 339, 'ATM', { ATM: [{ Enabled: state.atm, MinProfile: '', MaxProfile: '' }] }),
  session: (state) => reply(state, 319, 'Session info', { SESSION: [{ SessionID: state.session ?? '' }] }),
}

/** Of one board. */
export const boardReads: Readonly<Record<string, (state: LuxosState, board: number) => Fields>> = {
  voltageget: (state, Board) => reply(state, 307, 'Get Voltage', { VOLTAGE: [{ Board, Voltage: 12.6 }] }),
  healthchipget(state, slot) {
    const reading = state.machine.physics.read()
    const board = reading.boards.find((each) => each.slot === slot)
    const chips = Array.from({ length: board?.chips ?? 0 }, (_, chip) => ({
      Board: slot,
      Chip: chip,
      Frequency: Math.round(reading.frequencyMhz),
      Healthy: 'Y',
      IsChecking: false,
      Score: 100,
    }))
    return reply(state, 208, 'Chip health', { CHIPS: chips })
  },
}
