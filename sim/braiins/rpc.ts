import { type Fields, round } from '../json.js'
import { type RpcReply, type RpcRequest, rpcDoor } from '../rpc.js'
import type { Door } from '../server.js'
import type { BraiinsState } from './state.js'

const mhs = (ths: number) => round(ths * 1e6, 2)
const boser = (state: BraiinsState) => (state.row.era === 'rpc' ? 'BOSminer+' : 'BOSer')

function status(state: BraiinsState, Code: number, Msg: string, STATUS: 'S' | 'E' = 'S') {
  const When = Math.floor(state.machine.clock.now() / 1000)
  return { STATUS: [{ STATUS, When, Code, Msg, Description: `${boser(state)} ${state.row.version}` }], id: 1 }
}

const rpcReads: Readonly<Record<string, (state: BraiinsState) => Fields>> = {
  summary(state) {
    const reading = state.read()
    const pools = state.machine.pools.read()
    const item = {
      Elapsed: Math.floor(reading.elapsedS),
      'MHS 5s': mhs(reading.rate5sThs),
      'MHS 1m': mhs(reading.rate1mThs),
      'MHS 5m': mhs(reading.rate5mThs),
      'MHS 15m': mhs(reading.rate15mThs),
      'MHS av': mhs(reading.avgThs),
      Accepted: pools.reduce((sum, pool) => sum + pool.accepted, 0),
      Rejected: pools.reduce((sum, pool) => sum + pool.rejected, 0),
      Stale: 0,
      'Hardware Errors': reading.hwErrors,
    }
    return { ...status(state, 11, 'Summary'), SUMMARY: [item] }
  },
  devs(state) {
    const reading = state.read()
    const items = reading.boards.map((board) => ({
      ASC: board.slot,
      ID: board.slot + 6,
      'MHS 5s': mhs(board.rateThs),
      'Nominal MHS': mhs(reading.targetThs / state.row.boards),
      'Hardware Errors': 0,
      Status: 'Alive',
    }))
    return { ...status(state, 9, `${items.length} ASC(s)`), DEVS: items }
  },
  devdetails(state) {
    const { boards, frequencyMhz } = state.read()
    const items = boards.map((board) => ({
      ID: board.slot + 6,
      Model: state.model,
      Chips: board.chips,
      Frequency: Math.round(frequencyMhz * 1e6),
      Voltage: 17.2,
    }))
    return { ...status(state, 69, 'Device Details'), DEVDETAILS: items }
  },
  temps(state) {
    const items = state.read().boards.map((board, TEMP) => ({
      TEMP,
      ID: board.slot + 6,
      Board: round(board.boardC, 1),
      Chip: round(board.chipMaxC, 1),
    }))
    return { ...status(state, 201, `${items.length} Temp(s)`), TEMPS: items }
  },
  fans(state) {
    const items = state
      .read()
      .fansRpm.map((RPM, index) => ({ FAN: index, ID: index, RPM, Speed: round((RPM / 6600) * 100) }))
    return { ...status(state, 202, `${items.length} Fan(s)`), FANS: items }
  },
  pools(state) {
    const items = state.machine.pools.read().map((pool) => ({
      POOL: pool.index,
      URL: pool.url,
      User: pool.user,
      Status: pool.alive ? 'Alive' : 'Dead',
      Priority: pool.index,
      Accepted: pool.accepted,
      Rejected: pool.rejected,
      Stale: pool.stale,
      'Stratum Active': pool.active,
    }))
    return { ...status(state, 7, `${items.length} Pool(s)`), POOLS: items }
  },
  tunerstatus(state) {
    const chains = state.read().boards.map((board) => ({ HashchainIndex: board.slot + 6, Status: 'Stable' }))
    const item = {
      ApproximateMinerPowerConsumption: round(state.read().powerW),
      PowerLimit: state.targetW,
      TunerChainStatus: chains,
    }
    return { ...status(state, 205, 'Tuner Status'), TUNERSTATUS: [item] }
  },
}

function answer(state: BraiinsState, { command }: RpcRequest): RpcReply {
  if (command === 'version') {
    const item = { API: '3.7', [boser(state)]: state.row.version }
    return { json: { ...status(state, 22, `${boser(state)} versions`), VERSION: [item] } }
  }
  const read = state.row.era === 'rpc' && Object.hasOwn(rpcReads, command) ? rpcReads[command] : undefined
  if (read) return { json: read(state) }
  if (state.row.era === 'rpc' && (command === 'pause' || command === 'resume')) {
    if (state.machine.has('refusedWrite')) return { json: status(state, 45, 'Access denied', 'E') }
    state.sleep(command === 'pause')
    return { json: { ...status(state, 0, command), [command.toUpperCase()]: [true] } }
  }
  return { json: status(state, 14, 'Invalid command', 'E') }
}

/** BOSminer on 4028; on newer versions little more than its name. */
export function braiinsRpc(state: BraiinsState): Door {
  return rpcDoor(state.machine, {
    answer: (request) => answer(state, request),
    refuse: (code, text) => status(state, code, text, 'E'),
  })
}
