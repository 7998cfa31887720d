import { breedsFrom } from '../breed.js'
import { type HttpCall, type HttpReply, httpDoor } from '../http.js'
import type { MachineOptions } from '../machine.js'
import type { Simulator } from '../server.js'
import { graphPage } from './graphql.js'
import { restPage } from './rest.js'
import { type BraiinsRow, braiinsRows } from './rows.js'
import { braiinsRpc } from './rpc.js'
import { BraiinsState } from './state.js'

const page = '<!doctype html><html><head><title>Braiins OS</title></head><body></body></html>'

function answer(state: BraiinsState, call: HttpCall): HttpReply {
  const { era } = state.row
  if (call.path === '/') return { text: page }
  if (era === 'rest' && call.path.startsWith('/api/v1/')) return restPage(state, call)
  if (era === 'graphql' && call.path === '/graphql' && call.method === 'POST') return graphPage(state, call)
  if (era === 'graphql' && call.path === '/cgi-bin/luci/admin/network/iface_status/lan')
    return { json: [{ macaddr: state.machine.mac.toLowerCase() }] }
  return { status: 404, text: 'Not Found' }
}

/** An Antminer of this row with Braiins OS: the interfaces that its version has. */
export function braiins(row: BraiinsRow, options: MachineOptions): Simulator & { state: BraiinsState } {
  const state = new BraiinsState(row, options)
  const web = httpDoor(state.machine, { server: 'nginx', answer: (call) => answer(state, call) })
  return { machine: state.machine, state, doors: row.era === 'rpc' ? [braiinsRpc(state)] : [web, braiinsRpc(state)] }
}

const credentials = { username: 'root', password: 'root' }

export const braiinsBreeds = braiinsRows.flatMap((row) => {
  const mainDoor = row.era === 'rpc' ? 'rpc' : 'http'
  return breedsFrom([row], { family: 'braiins', mainDoor, credentials }, braiins)
})
