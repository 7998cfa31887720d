import { breedsFrom } from '../breed.js'
import { type HttpCall, type HttpReply, httpDoor } from '../http.js'
import { type Fields, parseObject, round } from '../json.js'
import type { MachineOptions } from '../machine.js'
import type { PoolReading } from '../pools.js'
import type { Simulator } from '../server.js'
import { type BitaxeRow, bitaxeRows } from './rows.js'
import { BitaxeState } from './state.js'

const ghs = (ths: number) => round(ths * 1000, 2)

function info(state: BitaxeState): Fields {
  const { row, machine } = state
  const reading = machine.physics.read()
  const [board] = reading.boards
  const pools = machine.pools.read()
  const active = pools.find((pool) => pool.active)
  const rpm = reading.fansRpm[0] ?? 0
  const common = {
    power: round(reading.powerW, 2),
    voltage: round(row.volts * 1000, 2),
    hashRate: ghs(reading.rate5sThs),
    hashRate_1m: ghs(reading.rate1mThs),
    temp: round(board?.chipAvgC ?? reading.inletC, 2),
    vrTemp: round(board?.boardC ?? reading.inletC, 1),
    frequency: state.frequencyMhz,
    coreVoltage: 1150,
    coreVoltageActual: 1142,
    ASICModel: row.chip,
    boardVersion: row.board,
    asicCount: row.chips,
    smallCoreCount: row.cores,
    fanspeed: state.fanPct ?? Math.round((rpm / 6600) * 100),
    autofanspeed: state.fanPct === undefined ? 1 : 0,
    fanrpm: rpm,
    uptimeSeconds: Math.floor(reading.uptimeS),
    sharesAccepted: pools.reduce((sum, pool) => sum + pool.accepted, 0),
    sharesRejected: pools.reduce((sum, pool) => sum + pool.rejected, 0),
    bestDiff: row.old ? '4.83M' : Math.floor(1e6 + reading.workTh * 37),
    isUsingFallbackStratum: Number(active?.index === 1),
    ...poolFields('stratum', pools[0]),
    ...poolFields('fallbackStratum', pools[1]),
    version: row.firmware,
    macAddr: machine.mac,
    hostname: machine.hostname,
    overheat_mode: Number(machine.has('overheated')),
    wifiStatus: 'Connected!',
    freeHeap: 8_443_612,
  }
  return row.nerd ? { ...common, ...nerdFields(state, rpm, pools) } : { ...common, ...axeFields(state) }
}

function axeFields(state: BitaxeState): Fields {
  const { row, machine } = state
  const reading = machine.physics.read()
  if (row.old) return { current: round((reading.powerW / row.volts) * 1000, 2) }
  return {
    current: round((reading.powerW / row.volts) * 1000, 2),
    expectedHashrate: round((state.frequencyMhz * row.cores * row.chips) / 1000),
    hashRate_1h: ghs(reading.avgThs),
    temp2: -1,
    ipv4: machine.network.ip,
    miningPaused: !state.isOn,
    errorPercentage: 0.2,
  }
}

function nerdFields({ row, machine, isOn }: BitaxeState, rpm: number, pools: readonly PoolReading[]): Fields {
  const reading = machine.physics.read()
  return {
    deviceModel: row.model,
    hostip: machine.network.ip,
    currentA: round(reading.powerW / row.volts, 2),
    shutdown: !isOn,
    fans: [{ label: 'FAN', rpm, speedPerc: Math.round((rpm / 6600) * 100), mode: 2 }],
    asicTemps: [0, 0, 0, 0],
    stratum: {
      usingFallback: pools[1]?.active === true,
      pools: pools.map(({ alive, accepted, rejected }) => ({ connected: alive, accepted, rejected })),
    },
  }
}

function poolFields(name: string, pool: PoolReading | undefined): Fields {
  const [, host = '', port = '0'] = /:\/\/(.*):(\d+)$/.exec(pool?.url ?? '') ?? []
  return { [`${name}URL`]: host, [`${name}Port`]: Number(port), [`${name}User`]: pool?.user ?? '' }
}

function asic({ row }: BitaxeState): Fields {
  return {
    ASICModel: row.chip,
    ...(row.nerd ? { deviceModel: row.model } : {}),
    asicCount: row.chips,
    defaultFrequency: row.frequencyMhz,
    frequencyOptions: row.optionsMhz,
    defaultVoltage: 1150,
    voltageOptions: [1100, 1150, 1200],
  }
}

type Page = (state: BitaxeState, call: HttpCall) => HttpReply
const done: HttpReply = { text: '' }
const refused: HttpReply = { status: 400, text: 'Wrong API input', type: 'text/plain' }

/** Only on builds of the kind, and not against the fault `refusedWrite`. */
function write(run: (state: BitaxeState) => HttpReply, only?: (row: BitaxeRow) => boolean): Page {
  return (state) => {
    if (only && !only(state.row)) return { status: 404, text: 'Nothing here' }
    return state.machine.has('refusedWrite') ? refused : run(state)
  }
}

const change = (awake: boolean) => (state: BitaxeState) => {
  state.machine.change({ awake }, awake ? 'restart' : 'slide')
  return { json: { message: awake ? 'Mining resumed' : 'Mining paused' } }
}
const hasPause = (row: BitaxeRow) => !row.nerd && !row.old

const pages: Readonly<Record<string, Page>> = {
  'GET /': () => ({ text: '<!doctype html><html><head><title>AxeOS</title></head><body></body></html>' }),
  'GET /api/system/info': (state) => ({ json: info(state) }),
  'GET /api/system/asic': (state) => ({ json: asic(state) }),
  'GET /api/system/logs': () => ({ text: 'I (123) simulated: log line', type: 'text/plain' }),
  'PATCH /api/system': (state, { body }) =>
    !state.machine.has('refusedWrite') && state.patch(parseObject(body.toString()) ?? { '': '' }) ? done : refused,
  'POST /api/system/restart': write((state) => ({
    text: 'System will restart shortly.',
    after: () => state.restart(),
  })),
  'POST /api/system/identify': write(() => done),
  'POST /api/system/pause': write(change(false), hasPause),
  'POST /api/system/resume': write(change(true), hasPause),
  'POST /api/system/shutdown': write(change(false), (row) => row.nerd),
}

/** A small miner of this row: AxeOS on 80. */
export function bitaxe(row: BitaxeRow, options: MachineOptions): Simulator & { state: BitaxeState } {
  const state = new BitaxeState(row, options)
  const answer = (call: HttpCall) => {
    const key = `${call.method} ${call.path}`
    return Object.hasOwn(pages, key) ? pages[key]!(state, call) : { status: 404, text: 'Nothing here' }
  }
  return { machine: state.machine, state, doors: [httpDoor(state.machine, { answer, server: 'esp' })] }
}

export const bitaxeBreeds = breedsFrom(
  bitaxeRows,
  { family: 'bitaxe', mainDoor: 'http', credentials: { username: '', password: '' } },
  bitaxe,
)
