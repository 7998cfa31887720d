import { type Fields, round } from '../json.js'
import { framesOf, rpcDoor } from '../rpc.js'
import type { Door } from '../server.js'
import type { VnishState } from './state.js'

/** The read-only RPC of VNish (protocols/vnish.md §5). */

const ghs = (ths: number) => round(ths * 1e3, 2)
const { ok, refusal } = framesOf<VnishState>(() => 'cgminer 4.11.1')

function summary(state: VnishState): Fields {
  const reading = state.machine.physics.read()
  const item = {
    Elapsed: Math.floor(reading.elapsedS),
    'GHS 5s': ghs(reading.rate5sThs),
    'GHS av': ghs(reading.avgThs),
    'GHS 30m': ghs(reading.rate30mThs),
    'Hardware Errors': reading.hwErrors,
    'Device Hardware%': 0,
    'Best Share': Math.floor(1e6 + reading.workTh * 37),
    'Fee Percent': 2.8,
  }
  return ok(state, 11, 'Summary', { SUMMARY: [item] })
}

function stats(state: VnishState): Fields {
  const { machine, row } = state
  const reading = machine.physics.read()
  const chains: [string, unknown][] = []
  for (const board of reading.boards) {
    const of = (name: string, value: unknown) => chains.push([`${name}${board.slot + 1}`, value])
    const four = (celsius: number) => Array.from({ length: 4 }, () => round(celsius)).join('-')
    of('chain_acn', board.chips)
    of('chain_rate', ghs(board.rateThs))
    of('chain_rateideal', ghs(reading.targetThs / Math.max(1, reading.boards.length)))
    of('chain_state', 'mining')
    of('chain_fault', '')
    of('chain_vol', 13_000)
    of('chain_consumption', Math.round(reading.powerW / row.boards))
    of('freq_avg', reading.frequencyMhz)
    of('temp_chip', four(board.chipMaxC))
    of('temp_pcb', four(board.boardC))
  }
  const fans = reading.fansRpm.map((rpm, index): [string, number] => [`fan${index + 1}`, rpm])
  const item = {
    Elapsed: Math.floor(reading.elapsedS),
    'GHS 5s': String(ghs(reading.rate5sThs)),
    'GHS av': String(ghs(reading.avgThs)),
    fan_num: row.fans,
    fan_pwm: Math.min(100, round((reading.fansRpm[0] ?? 0) / 66)),
    ...Object.fromEntries([...fans, ...chains]),
    state: state.stateName,
    total_rateideal: ghs(reading.targetThs),
  }
  const about = { Type: `${state.name} (Vnish ${state.version})`, Miner: '0.0.0', Cgminer: state.version }
  return ok(state, 70, 'CGMiner stats', { STATS: [about, item] })
}

function pools(state: VnishState): Fields {
  const list = state.machine.pools.read().map((pool) => ({
    POOL: pool.index,
    URL: pool.url.replace(/^[a-z0-9+]+:\/\//, ''),
    Type: 0,
    User: pool.user,
    Status: pool.alive ? 'Alive' : 'Dead',
    Accepted: pool.accepted,
    Rejected: pool.rejected,
    Stale: pool.stale,
    Diff: pool.active ? '262K' : '',
    'Last Share Time': pool.lastShareAgoS === undefined ? '0' : '0:00:05',
    'Stratum Active': pool.active,
  }))
  const fee = { POOL: 3, URL: 'DevFee', Type: 1, User: 'DevFee', Status: 'Alive', Accepted: 224, Rejected: 1, Stale: 0 }
  return ok(state, 7, '4 Pool(s)', { POOLS: [...list, fee] })
}

const reads = new Map<string, (state: VnishState) => Fields>(Object.entries({ summary, stats, pools }))

export function vnishRpc(state: VnishState): Door {
  return rpcDoor(state.machine, {
    refuse: (code, text) => refusal(state, code, text),
    answer: ({ command }) => ({ json: reads.get(command)?.(state) ?? refusal(state, 0, 'Invalid command') }),
  })
}
