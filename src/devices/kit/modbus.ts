import type { Options } from '#model'
import { toSdkError } from '#model'
import { type Io, type PortName, type Protocol, portOf, type Reply } from '../io.js'
import { withSession } from '../sessions.js'
import { type ReadFunction, readPdu, writeManyPdu, writePdu } from './modbus-frame.js'
import { type ModbusSession, openModbus } from './modbus-session.js'
import { type Block, blocksOf, decode, type Nothing, type RegisterTable } from './registers.js'

export const modbusPort: PortName = { name: 'modbus', default: 502 }

/** The reference asks for so long a pause between requests: behind the gateway is a serial line. ms. */
const defaultGapMs = 50
const defaultUnit = 1

/** One device's way through the shared connection. */
export interface Line {
  /** The bytes of `count` registers. Function 3 and the device's unit unless said. */
  read(address: number, count: number, options?: { fn?: ReadFunction; unit?: number }): Promise<Buffer>
  write(address: number, value: number, options?: { unit?: number }): Promise<void>
  writeMany(address: number, values: readonly number[], options?: { unit?: number }): Promise<void>
}

/** A request is what to do on the line; what it answers is parsed by the read. */
export type ModbusRequest<T = unknown> = (line: Line, io: Io) => Promise<T>

/** All requests of a visit one after the other on the gateway's connection; each has its own outcome. */
export const modbus: Protocol<ModbusRequest> = {
  name: 'modbus',
  port: modbusPort,
  ask: (io, requests) => onLine(io, (line) => inSeries(requests, line, io)),
}

async function inSeries(requests: readonly ModbusRequest[], line: Line, io: Io): Promise<Reply[]> {
  const replies: Reply[] = []
  for (const request of requests) {
    try {
      replies.push({ value: await request(line, io) })
    } catch (error) {
      replies.push({ error: toSdkError(error, 'DEVICE_BAD_REPLY') })
    }
  }
  return replies
}

/** Talks to the device on the gateway's connection; it stays open if the device's world keeps sessions. */
export function onLine<T>(io: Io, talk: (line: Line) => Promise<T>): Promise<T> {
  const port = portOf(io, modbusPort)
  const { host, clock } = io
  return withSession(
    io.sessions,
    `modbus ${host}:${port}`,
    () => openModbus({ host, port, clock }),
    (session) => talk(lineOf(session, io)),
  )
}

function lineOf(session: ModbusSession, io: Io): Line {
  const options = { signal: io.signal, gapMs: gapOf(io.options) }
  const unitOf = (unit: number | undefined) => unit ?? io.unit ?? defaultUnit
  return {
    read: (address, count, { fn = 3, unit } = {}) => session.ask(unitOf(unit), readPdu(fn, address, count), options),
    async write(address, value, { unit } = {}) {
      await session.ask(unitOf(unit), writePdu(address, value), options)
    },
    async writeMany(address, values, { unit } = {}) {
      await session.ask(unitOf(unit), writeManyPdu(address, values), options)
    },
  }
}

function gapOf(options: Options | undefined): number {
  return typeof options?.gapMs === 'number' ? options.gapMs : defaultGapMs
}

export interface TableOptions {
  readonly fn?: ReadFunction
  readonly unit?: number
  readonly nothing?: Nothing
  /** What is read at once, where the device or its reference says so; default: neighbours together. */
  readonly blocks?: readonly Block[]
}

export type Values = Record<string, number | undefined>

/** Reads a table of registers in as few requests as it allows. */
export function table(registers: RegisterTable, options: TableOptions = {}): ModbusRequest<Values> {
  const { fn = 3, unit, nothing = 'never', blocks = blocksOf(registers) } = options
  const places = Object.entries(registers)
  return async (line) => {
    const values: Values = {}
    for (const { at, count } of blocks) {
      const bytes = await line.read(at, count, { fn, ...(unit === undefined ? {} : { unit }) })
      for (const [name, register] of places) {
        const value = decode(register, bytes, at, nothing)
        if (value !== undefined) values[name] = value
      }
    }
    return values
  }
}
