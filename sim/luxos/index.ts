import { breedsFrom } from '../breed.js'
import { httpDoor } from '../http.js'
import type { Fields } from '../json.js'
import type { MachineOptions } from '../machine.js'
import { rpcDoor } from '../rpc.js'
import type { Simulator } from '../server.js'
import { boardReads, reads, refusal } from './replies.js'
import { type LuxosRow, LuxosState, luxosRows } from './state.js'
import { write } from './writes.js'

const page = '<!doctype html><html><head><title>Luxor Firmware</title></head><body></body></html>'

function read(state: LuxosState, command: string, parameter: string): Fields {
  if (Object.hasOwn(reads, command)) return reads[command]!(state)
  if (!Object.hasOwn(boardReads, command)) return refusal(state, 14, 'Invalid command')
  const board = Number(parameter)
  if (parameter === '') return refusal(state, 400, 'Missing parameter: board')
  if (!Number.isInteger(board) || board < 0 || board >= state.row.boards) return refusal(state, 400, 'Invalid board')
  return boardReads[command]!(state, board)
}

/** `a+b` asks for several reads at once; each has its own answer in a list under its name. */
function joined(state: LuxosState, names: readonly string[]): Fields {
  const parts = names.map((name): [string, unknown] => [name, [read(state, name, '')]])
  return { ...Object.fromEntries(parts), id: 1 }
}

/** An Antminer of this row with LuxOS: its RPC on 4028, its page on 80. */
export function luxos(row: LuxosRow, options: MachineOptions): Simulator & { state: LuxosState } {
  const state = new LuxosState(row, options)
  const { machine } = state
  const rpc = rpcDoor(machine, {
    refuse: (code, text) => refusal(state, code, text),
    answer: ({ command, parameter }) =>
      write(state, command, parameter) ?? {
        json: command.includes('+') ? joined(state, command.split('+')) : read(state, command, parameter),
      },
  })
  const web = httpDoor(machine, {
    answer: ({ path }) => (path === '/' ? { text: page } : { status: 404, text: 'Not Found' }),
  })
  return { machine, state, doors: [rpc, web] }
}

export const luxosBreeds = breedsFrom(
  luxosRows,
  { family: 'luxos', mainDoor: 'rpc', credentials: { username: 'root', password: 'root' } },
  luxos,
)
