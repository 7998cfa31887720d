import { type Fields, round } from '../json.js'
import type { Reading } from '../physics.js'
import type { PoolReading } from '../pools.js'
import { type RpcReply, type RpcRequest, rpcDoor } from '../rpc.js'
import type { Door } from '../server.js'
import {
  ago,
  chipMap,
  ghs,
  pools as newPools,
  stats as newStats,
  summary as newSummary,
  short,
  temperatures,
} from './replies.js'
import type { AntminerState } from './state.js'

const privileged = /^(restart|quit|save|addpool|switchpool|removepool|enablepool|disablepool|poolpriority|ascset|zero)$/
const chainPlaces = 4

/** The read-only RPC of the mining process, also in the form of the web interface. */
export function antminerRpc(state: AntminerState): Door {
  return rpcDoor(state.machine, {
    answer: (request) => answer(state, request),
    refuse: (code, text) => refusal(state, code, text),
    isAway: () => state.isDaemonAway,
  })
}

function answer(state: AntminerState, { command, fields }: RpcRequest): RpcReply {
  const reply = fields.new_api === true ? newCommands.get(command) : commands.get(command)
  if (reply) return { json: reply(state) }
  if (privileged.test(command)) return { json: refusal(state, 45, `Access denied to '${command}' command`) }
  return { json: refusal(state, 14, 'Invalid command') }
}

function refusal(state: AntminerState, code: number, text: string): Fields {
  return { STATUS: [statusOf(state, code, text, 'E')], id: 1 }
}

function statusOf(state: AntminerState, Code: number, Msg: string, STATUS: 'S' | 'E' = 'S') {
  return { STATUS, When: state.when, Code, Msg, Description: 'cgminer 1.0.0' }
}

function version(state: AntminerState): Fields {
  const { compiled, minerVersion } = state.row
  const item = { BMMiner: '1.0.0', API: '3.1', Miner: minerVersion, CompileTime: compiled, Type: state.type }
  return { STATUS: [statusOf(state, 22, 'CGMiner versions')], VERSION: [item], id: 1 }
}

function totals(state: AntminerState) {
  const pools = state.machine.pools.read()
  const sum = (take: (pool: PoolReading) => number) => pools.reduce((total, pool) => total + take(pool), 0)
  return { accepted: sum((p) => p.accepted), rejected: sum((p) => p.rejected), stale: sum((p) => p.stale), pools }
}

function summary(state: AntminerState): Fields {
  const reading = state.read()
  const { accepted, rejected, stale } = totals(state)
  const { difficulty } = state.machine.pools
  const item = {
    Elapsed: Math.floor(reading.elapsedS),
    'GHS 5s': ghs(reading.rate5sThs),
    'GHS av': ghs(reading.avgThs),
    'GHS 30m': ghs(reading.rate30mThs),
    'Found Blocks': 0,
    Getwork: Math.floor(accepted * 0.4),
    Accepted: accepted,
    Rejected: rejected,
    'Hardware Errors': reading.hwErrors,
    Utility: round((accepted / Math.max(1, reading.elapsedS)) * 60, 2),
    Discarded: 0,
    Stale: stale,
    'Get Failures': 0,
    'Local Work': accepted * 1117,
    'Remote Failures': 0,
    'Network Blocks': Math.floor(reading.elapsedS / 600),
    'Total MH': round(reading.workTh * 1e6),
    'Work Utility': round((reading.avgThs * 1e12 * 60) / 2 ** 32, 2),
    'Difficulty Accepted': accepted * difficulty,
    'Difficulty Rejected': rejected * difficulty,
    'Difficulty Stale': stale * difficulty,
    'Best Share': Math.floor(1e6 + reading.workTh * 37),
    'Device Hardware%': 0,
    'Device Rejected%': 0,
    'Pool Rejected%': accepted > 0 ? round((100 * rejected) / accepted, 4) : 0,
    'Pool Stale%': accepted > 0 ? round((100 * stale) / accepted, 4) : 0,
    'Last getwork': state.when,
  }
  return { STATUS: [statusOf(state, 11, 'Summary')], SUMMARY: [item], id: 1 }
}

function pools(state: AntminerState): Fields {
  const items = state.machine.pools.read().map((pool) => ({
    POOL: pool.index,
    URL: pool.url,
    // The firmware's own spelling for a place that is not used.
    Status: pool.alive ? 'Alive' : pool.url === '' ? 'Deed' : 'Dead',
    Priority: pool.index,
    Quota: 1,
    'Long Poll': 'N',
    Getworks: Math.floor(pool.accepted * 0.4),
    Accepted: pool.accepted,
    Rejected: pool.rejected,
    Discarded: 0,
    Stale: pool.stale,
    'Get Failures': 0,
    'Remote Failures': 0,
    User: pool.user,
    'Last Share Time': ago(pool.lastShareAgoS),
    Diff: pool.active ? short(pool.difficulty) : '',
    'Diff1 Shares': 0,
    'Proxy Type': '',
    Proxy: '',
    'Difficulty Accepted': pool.accepted * pool.difficulty,
    'Difficulty Rejected': pool.rejected * pool.difficulty,
    'Difficulty Stale': pool.stale * pool.difficulty,
    'Last Share Difficulty': pool.accepted > 0 ? pool.difficulty : 0,
    'Has Stratum': true,
    'Stratum Active': pool.active,
    'Stratum URL': pool.active ? pool.url.replace(/^.*:\/\/|:\d+$/g, '') : '',
    'Has GBT': false,
    'Best Share': 0,
    'Pool Rejected%': pool.accepted > 0 ? round((100 * pool.rejected) / pool.accepted, 4) : 0,
    // Doubled in the firmware.
    'Pool Stale%%': pool.accepted > 0 ? round((100 * pool.stale) / pool.accepted, 4) : 0,
  }))
  return { STATUS: [statusOf(state, 7, `${items.length} Pool(s)`)], POOLS: items, id: 1 }
}

/** One pseudo device, with the firmware's misspelling and its zeros. */
function devs(state: AntminerState): Fields {
  const { accepted, rejected } = totals(state)
  const { difficulty } = state.machine.pools
  const item = {
    ASC: 0,
    Name: 'BTM_SOC',
    ID: 0,
    Enabled: 'Y',
    Status: 'Alive',
    Tenperature: 0,
    'MHS av': 0,
    'MHS 5s': 0,
    Accepted: accepted,
    Rejected: rejected,
    'Hardware Errors': 0,
    Utility: 0,
    'Last Share Pool': 0,
    'Last Share Time': state.when,
    'Total MH': 0,
    'Diff1 Work': 0,
    'Difficulty Accepted': accepted * difficulty,
    'Difficulty Rejected': rejected * difficulty,
    'Last Share Difficulty': difficulty,
    'Last Valid Work': state.when,
    'Device Hardware%': 0,
    'Device Rejected%': 0,
    'Device Elapsed': Math.floor(state.read().elapsedS),
  }
  return { STATUS: [statusOf(state, 9, '1 ASC(s)')], DEVS: [item], id: 1 }
}

function stats(state: AntminerState): Fields {
  const { row } = state
  const reading = state.read()
  const head = { BMMiner: '1.0.0', Miner: row.minerVersion, CompileTime: row.compiled, Type: state.type }
  const item = {
    STATS: 0,
    ID: 'BTM_SOC0',
    Elapsed: Math.floor(reading.elapsedS),
    Calls: 0,
    Wait: 0,
    Max: 0,
    Min: 99999999,
    'GHS 5s': ghs(reading.rate5sThs),
    'GHS av': ghs(reading.avgThs),
    rate_30m: ghs(reading.rate30mThs),
    Mode: 2,
    miner_count: reading.boards.length,
    frequency: round(reading.frequencyMhz),
    fan_num: row.fans,
    ...Object.fromEntries([0, 1, 2, 3].map((index) => [`fan${index + 1}`, reading.fansRpm[index] ?? 0])),
    temp_num: reading.boards.length,
    ...Object.assign({}, ...Array.from({ length: chainPlaces }, (_, slot) => chainFields(state, reading, slot))),
    total_rateideal: round(row.nominalThs * 1000, 1),
    rate_unit: 'GH',
    total_freqavg: round(reading.frequencyMhz),
    total_acn: row.chips * reading.boards.length,
    'total rate': ghs(reading.avgThs),
    temp_max: 0,
    no_matching_work: reading.hwErrors,
    miner_version: row.minerVersion,
    miner_id: state.machine.serial.toLowerCase(),
  }
  return { STATUS: [statusOf(state, 70, 'CGMiner stats')], STATS: [head, item], id: 1 }
}

/** The numbered keys of one chain; an empty place has zeros and empty texts. */
function chainFields(state: AntminerState, reading: Reading, slot: number): Fields {
  const n = slot + 1
  const { row } = state
  const board = reading.boards.find((each) => each.slot === slot)
  if (!board) {
    const empty = '0-0-0-0'
    return {
      [`temp_pcb${n}`]: empty,
      [`temp_chip${n}`]: empty,
      [`temp_pic${n}`]: empty,
      [`chain_acn${n}`]: 0,
      [`chain_acs${n}`]: '',
      [`chain_hw${n}`]: 0,
      [`chain_rate${n}`]: '',
      [`freq${n}`]: 0,
    }
  }
  const { temp_pcb, temp_chip, temp_pic } = temperatures(state, reading, board)
  return {
    [`temp${n}`]: Math.max(...temp_pcb),
    [`temp2_${n}`]: Math.max(...temp_chip),
    [`temp_pcb${n}`]: temp_pcb.join('-'),
    [`temp_chip${n}`]: temp_chip.join('-'),
    [`temp_pic${n}`]: temp_pic.join('-'),
    [`chain_acn${n}`]: row.chips,
    [`chain_acs${n}`]: chipMap(row.chips, row.chips - board.chips, row.group),
    [`chain_hw${n}`]: Math.floor(reading.hwErrors / row.boards),
    [`chain_rate${n}`]: ghs(board.rateThs).toFixed(2),
    [`freq${n}`]: round(reading.frequencyMhz),
  }
}

type Reply = (state: AntminerState) => Fields

const commands = new Map<string, Reply>(Object.entries({ version, summary, pools, devs, stats }))
const newCommands = new Map<string, Reply>(
  Object.entries({ stats: newStats, summary: newSummary, pools: newPools, version, devs }),
)
