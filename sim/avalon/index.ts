import { breedsFrom } from '../breed.js'
import type { Fields } from '../json.js'
import type { MachineOptions } from '../machine.js'
import { type RpcReply, type RpcRequest, rpcDoor } from '../rpc.js'
import type { Simulator } from '../server.js'
import { ascset } from './ascset.js'
import { frames, litestats, pools, stats, summary, version } from './replies.js'
import { type AvalonRow, avalonRows } from './rows.js'
import { AvalonState } from './state.js'

const reads = new Map<string, (state: AvalonState) => Fields>(
  Object.entries({ version, summary, pools, stats, estats: stats }),
)

function answer(state: AvalonState, request: RpcRequest): RpcReply {
  const { command } = request
  const read = command === 'litestats' && state.row.home ? litestats : reads.get(command)
  if (read) return { json: read(state) }
  if (command === 'ascset') return ascset(state, request.parameter)
  if (command === 'restart') return { after: () => state.machine.restart() }
  return { json: frames.refusal(state, 14, 'Invalid command') }
}

/** An Avalon of this row: cgminer on 4028, JSON form. */
export function avalon(row: AvalonRow, options: MachineOptions): Simulator & { state: AvalonState } {
  const state = new AvalonState(row, options)
  const door = rpcDoor(state.machine, {
    answer: (request) => answer(state, request),
    refuse: (code, text) => frames.refusal(state, code, text),
  })
  return { machine: state.machine, state, doors: [door] }
}

export const avalonBreeds = breedsFrom(
  avalonRows,
  { family: 'avalon', mainDoor: 'rpc', credentials: { username: 'root', password: 'root' } },
  avalon,
)
