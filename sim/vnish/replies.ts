import { type Fields, round } from '../json.js'
import type { VnishState } from './state.js'

/** What the pages of VNish answer (protocols/vnish.md §3). */

const ghs = (ths: number) => round(ths * 1e3, 3)
const clock = (seconds: number) =>
  [seconds / 3600, (seconds / 60) % 60, seconds % 60]
    .map((part, at) => String(Math.floor(part)).padStart(at === 0 ? 1 : 2, '0'))
    .join(':')

export function info({ machine, row, name, version }: VnishState): Fields {
  const { dhcp, ip, netmask, gateway, dns } = machine.network
  const { uptimeS } = machine.physics.read()
  const days = Math.floor(uptimeS / 86_400)
  const time = clock(uptimeS % 86_400).replace(/:\d\d$/, '')
  return {
    miner: name,
    model: row.model.toLowerCase().replace(/\W/g, ''),
    fw_name: 'Vnish',
    fw_version: version,
    platform: row.platform,
    install_type: 'nand',
    algorithm: 'sha256d',
    hr_measure: 'GH/s',
    serial: machine.serial,
    system: {
      os: 'GNU/Linux',
      uptime: days > 0 ? `${days} days, ${time}` : time,
      network_status: { mac: machine.mac, dhcp, ip, netmask, gateway, dns, hostname: machine.hostname },
    },
  }
}

function minerStatus(state: VnishState): Fields {
  const { elapsedS } = state.machine.physics.read()
  const throttled = state.throttledPct < 100 ? { throttled: state.throttledPct } : {}
  return { miner_state: state.stateName, miner_state_time: Math.floor(elapsedS), ...throttled }
}

export const status = (state: VnishState): Fields => ({
  ...minerStatus(state),
  restart_required: state.restartRequired,
  reboot_required: false,
  find_miner: state.locate,
  unlocked: false,
})

export function summary(state: VnishState): Fields {
  const { machine, row } = state
  const reading = machine.physics.read()
  const chips = reading.boards.flatMap(({ chipMinC, chipMaxC }) => [chipMinC, chipMaxC])
  const boards = reading.boards.map(({ boardC }) => boardC)
  const ends = (values: readonly number[]) =>
    values.length === 0 ? {} : { min: round(Math.min(...values)), max: round(Math.max(...values)) }
  const miner = {
    miner_status: minerStatus(state),
    miner_type: `${state.name} (Vnish ${state.version})`,
    hr_stock: ghs(row.nominalThs),
    instant_hashrate: reading.rateThs,
    average_hashrate: reading.avgThs,
    hr_realtime: ghs(reading.rateThs),
    hr_nominal: ghs(reading.targetThs),
    hr_average: ghs(reading.avgThs),
    pcb_temp: ends(boards),
    chip_temp: ends(chips),
    power_consumption: Math.round(reading.powerW),
    power_usage: Math.round(reading.powerW),
    power_efficiency: reading.rateThs > 0 ? reading.powerW / reading.rateThs : 0,
    hw_errors: reading.hwErrors,
    hw_errors_percent: 0,
    devfee_percent: 2.8,
    best_share: Math.floor(1e6 + reading.workTh * 37),
    pools: [...pools(state), devFee],
    cooling: {
      fan_num: row.fans,
      fan_duty: Math.min(100, round((reading.fansRpm[0] ?? 0) / 66)),
      fans: reading.fansRpm.map((rpm, id) => ({ id, rpm, max_rpm: 6600, status: rpm > 0 ? 'ok' : 'lost' })),
      settings: state.cooling,
    },
    chains: reading.boards.map((board) => ({
      id: board.slot + 1,
      frequency: reading.frequencyMhz,
      voltage: 13_000,
      power_consumption: Math.round(reading.powerW / row.boards),
      hashrate_ideal: ghs(reading.targetThs / Math.max(1, reading.boards.length)),
      hashrate_rt: ghs(board.rateThs),
      hw_errors: 0,
      hr_error: 0,
      pcb_temp: { min: round(board.boardC - 10), max: round(board.boardC) },
      chip_temp: { min: round(board.chipMinC), max: round(board.chipMaxC) },
      chip_statuses: { red: 0, orange: 0, grey: board.chips },
      status: { state: 'mining' },
    })),
    psu: { temps: { pfc_temp: round(reading.psuC) }, psu_power_metering: true },
  }
  return { miner }
}

function pools({ machine }: VnishState): Fields[] {
  return machine.pools.read().map((pool) => ({
    id: pool.index,
    url: pool.url.replace(/^[a-z0-9+]+:\/\//, ''),
    user: pool.user,
    pool_type: 'UserPool',
    status: pool.active ? 'active' : pool.alive ? 'working' : 'offline',
    diff: pool.active ? '262K' : '',
    accepted: pool.accepted,
    rejected: pool.rejected,
    stale: pool.stale,
    ls_time: pool.lastShareAgoS === undefined ? '0' : clock(pool.lastShareAgoS),
    ping: 8,
  }))
}

const devFee = {
  id: 3,
  url: 'DevFee',
  user: 'DevFee',
  pool_type: 'DevFee',
  status: 'working',
  diff: '16.4K',
  accepted: 224,
  rejected: 1,
  stale: 0,
  ls_time: '0:00:13',
}

const pretty = ({ name, ths }: { name: string; ths: number }) => `${name} watt ~ ${ths} TH`

export function perf(state: VnishState): Fields {
  const { preset, overclock } = state
  const current = { name: preset.name, pretty: pretty(preset), status: 'tuned', modded_psu_required: false }
  return { current_preset: current, preset_switcher: overclock.preset_switcher }
}

export const presets = (state: VnishState): unknown => [
  { name: 'disabled', pretty: 'Disabled', status: 'untuned', modded_psu_required: false },
  ...state.presets.map((preset) => ({
    name: preset.name,
    pretty: pretty(preset),
    status: 'untuned',
    modded_psu_required: preset.level > 1.15,
  })),
]

export const factory = ({ machine, row }: VnishState): Fields => ({
  chains: machine.boardSerials.map((serial, slot) => ({ id: slot + 1, board_model: 'BHB68601', serial })),
  hr_stock: row.nominalThs,
  psu_model: 'APW171215a',
  psu_serial: `PSU${machine.serial}`,
})

export function chips({ machine }: VnishState): unknown {
  const { boards, frequencyMhz } = machine.physics.read()
  return boards.map(({ slot, chips: number, chipAvgC }) => ({
    id: slot + 1,
    chips: Array.from({ length: number }, (_, id) => ({
      id,
      freq: frequencyMhz,
      temp: round(chipAvgC),
      errs: 0,
      grade: 'grey',
    })),
  }))
}

export function settings(state: VnishState): Fields {
  const { machine } = state
  const places = [0, 1, 2].map((at) => machine.pools.entries[at] ?? { url: '', user: '', pass: '' })
  const { dhcp, ip, netmask, gateway, dns } = machine.network
  return {
    miner: { cooling: state.cooling, misc: { restart_temp: 90 }, overclock: state.overclock, pools: places },
    ui: {
      consts: {
        cooling: { min_fan_pwm: 10, min_target_temp: 20, max_target_temp: 90 },
        timezones: [
          ['GMT', 'GMT'],
          ['GMT+1', 'GMT+01'],
        ],
      },
    },
    regional: { timezone: { current: state.timezone } },
    network: { hostname: machine.hostname, dhcp, ipaddress: ip, netmask, gateway, dnsservers: dns },
    password: null,
  }
}
