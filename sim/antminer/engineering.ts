import { createServer, type IncomingMessage } from 'node:http'
import { round } from '../json.js'
import { type Door, deliver } from '../server.js'
import type { AntminerState } from './state.js'

/** The engineering port 6060 of newer models: plain text, no login (protocols/antminer.md §3). */
export function engineeringDoor(state: AntminerState): Door {
  const server = createServer((request) => {
    const text = answer(state, request)
    const head = `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n`
    deliver(state.machine, request.socket, head + text, true)
  })
  return { name: 'engineering', standardPort: 6060, open: (socket) => server.emit('connection', socket) }
}

function answer(state: AntminerState, { url }: IncomingMessage): string {
  if (url === '/miner_power') return `miner power:${round(state.read().powerW)}`
  if (url === '/warning') return JSON.stringify({ error_message: warning(state) })
  return 'error 6060 cmd'
}

function warning({ machine }: AntminerState): string {
  if (machine.has('overheated')) return 'P:1'
  return machine.has('boardLost') ? 'J0:8' : 'None'
}
