import type { AntminerRow } from '../hardware.js'
import type { Simulator } from '../server.js'
import { engineeringDoor } from './engineering.js'
import { antminerRpc } from './rpc.js'
import { type AntminerOptions, AntminerState } from './state.js'
import { webDoor } from './web.js'

export { type AntminerOptions, AntminerState } from './state.js'

/** An Antminer of this row with stock firmware: web interface, RPC, and the engineering port if its model has it. */
export function antminer(row: AntminerRow, options: AntminerOptions): Simulator & { state: AntminerState } {
  const state = new AntminerState(row, options)
  const doors = [webDoor(state), antminerRpc(state)]
  return { machine: state.machine, state, doors: row.engineering ? [...doors, engineeringDoor(state)] : doors }
}
