import { breedsFrom } from '../breed.js'
import { DigestGate } from '../digest.js'
import { type HttpCall, type HttpReply, httpDoor } from '../http.js'
import { type Fields, parseObject, round } from '../json.js'
import type { MachineOptions } from '../machine.js'
import type { Simulator } from '../server.js'
import { type MarathonRow, MarathonState, marathonRows } from './state.js'

/** The pages of MaraFW (protocols/other-firmwares.md); what the reference leaves open has the form that its neighbours have. */

const account = { username: 'root', password: 'root' } as const

function brief({ machine, row, mode }: MarathonState): Fields {
  const reading = machine.physics.read()
  const { awake } = machine.physics.drive
  const isWhole = reading.boards.length === row.boards && machine.faults.length === 0
  return {
    status: awake ? 'Mining' : 'Sleep',
    work_mode: mode['work-mode-selector'],
    hashrate_unit: 'TH/s',
    hashrate_realtime: reading.rateThs,
    hashrate_average: reading.avgThs,
    hashrate_ideal: reading.targetThs,
    hashrate_sales: row.nominalThs,
    power_consumption_estimated: Math.round(reading.powerW),
    power_source: 'EST',
    temperature_pcb: round(Math.max(0, ...reading.boards.map(({ boardC }) => boardC)), 1),
    temperature_chip: round(Math.max(0, ...reading.boards.map(({ chipMaxC }) => chipMaxC)), 1),
    elapsed: Math.floor(reading.elapsedS),
    indicator: isWhole ? 'Fully functional' : 'Degraded',
    indicator_long: isWhole ? 'Miner is fully functional' : 'Check hashboards, fans and temperature',
  }
}

function hashboards({ machine, row }: MarathonState): Fields {
  const reading = machine.physics.read()
  const list = machine.boardSerials.map((serial, index) => {
    const board = reading.boards.find(({ slot }) => slot === index)
    return {
      index,
      present: board !== undefined,
      serial_number: serial,
      asic_num: board?.chips ?? 0,
      asic_num_ideal: row.chips,
      hashrate_realtime: board?.rateThs ?? 0,
      hashrate_average: board?.avgThs ?? 0,
      hashrate_ideal: reading.targetThs / row.boards,
      frequency_average: board ? reading.frequencyMhz : 0,
      power_consumption_estimated: board ? Math.round(reading.powerW / row.boards) : 0,
      temperature_pcb: board ? [board.boardC - 8, board.boardC].map((celsius) => round(celsius, 1)) : [],
      temperature_chip: board ? [board.chipMinC, board.chipMaxC].map((celsius) => round(celsius, 1)) : [],
      temperature_raw: [],
    }
  })
  return { hashboards: list }
}

function pools({ machine }: MarathonState): unknown {
  return machine.pools.read().map((pool) => ({
    index: pool.index,
    url: pool.url,
    user: pool.user,
    status: pool.active ? 'Active' : pool.alive ? 'Alive' : 'Dead',
    accepted: pool.accepted,
    rejected: pool.rejected,
    stale: pool.stale,
  }))
}

function overview({ machine, row }: MarathonState): Fields {
  return {
    model: `Antminer ${row.model}`,
    version_firmware: row.firmware,
    mac: machine.mac.toLowerCase(),
    serial_number: machine.serial,
  }
}

function networkConfig({ machine }: MarathonState): Fields {
  const { dhcp, ip, netmask, gateway, dns } = machine.network
  return { hostname: machine.hostname, dhcp, ip, netmask, gateway, dns }
}

type Page = (state: MarathonState, body: Fields, query: URLSearchParams) => HttpReply
const json =
  (value: (state: MarathonState) => unknown): Page =>
  (state) => ({ json: value(state) })
const refused = (message: string): HttpReply => ({ status: 400, json: { success: false, message } })
const done: HttpReply = { json: { success: true } }

const pages: Readonly<Record<string, Page>> = {
  'GET brief': json(brief),
  'GET hashboards': json(hashboards),
  'GET fans': json(({ machine }) => ({
    fans: machine.physics.read().fansRpm.map((speed, index) => ({ index, current_speed: speed, max_speed: 6600 })),
  })),
  'GET pools': json(pools),
  'GET overview': json(overview),
  'GET network_config': json(networkConfig),
  'GET controlboard_info': json(() => ({ model: 'Amlogic' })),
  'GET miner_config': json((state) => state.config),
  'GET locate_miner': json(({ blinking }) => ({ blinking })),
  'GET log': (state, _, query) =>
    query.get('type') === 'miner_config_history'
      ? { text: state.history.map((each) => JSON.stringify(each)).join('\n'), type: 'text/plain' }
      : { status: 404, text: 'Not Found' },
  'POST miner_config'(state, body) {
    const no = state.take(body)
    return no === undefined ? done : refused(no)
  },
  'POST locate_miner'(state, { blinking }) {
    state.blinking = blinking === true
    return done
  },
  'POST maintenance': ({ machine }, { type }) => {
    if (type === 'reboot') return { ...done, after: () => machine.reboot() }
    return type === 'reload' ? { ...done, after: () => machine.restart() } : refused('unknown type')
  },
}

function answer(
  state: MarathonState,
  gate: DigestGate,
  { method, url, path, query, headers, body }: HttpCall,
): HttpReply {
  const right = gate.check(headers.authorization, method, url, account.username, account.password)
  if (right !== 'right')
    return { status: 401, text: 'Unauthorized', headers: { 'www-authenticate': gate.challenge(right === 'stale') } }
  const key = `${method} ${path.replace('/kaonsu/v1/', '')}`
  if (method === 'POST' && state.machine.has('refusedWrite')) return refused('the miner is busy')
  if (!path.startsWith('/kaonsu/v1/') || !Object.hasOwn(pages, key)) return { status: 404, text: 'Not Found' }
  return pages[key]!(state, parseObject(body.toString('utf8')) ?? {}, query)
}

/** An Antminer of this row with MaraFW: its pages on 80 behind a digest login. */
export function marathon(row: MarathonRow, options: MachineOptions): Simulator & { state: MarathonState } {
  const state = new MarathonState(row, options)
  const gate = new DigestGate(state.machine.clock, 'MaraFW')
  return {
    machine: state.machine,
    state,
    doors: [httpDoor(state.machine, { answer: (call) => answer(state, gate, call) })],
  }
}

export const marathonBreeds = breedsFrom(
  marathonRows,
  { family: 'marathon', mainDoor: 'http', credentials: account },
  marathon,
)
