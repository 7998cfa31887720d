import { createHash } from 'node:crypto'
import { SdkError, sleep, toSdkError } from '#model'
import type { Command, Commands, Telemetry } from '../define.js'
import type { Io } from '../io.js'
import { type Line, onLine } from '../kit/modbus.js'
import { units } from './microbt-values.js'
import { chosenSockets, socketsShow } from './sockets.js'

/** A register by the maker's number. */
const wire = (number: number) => number - 1
const mainSwitch = 601
const limitRegisters = { fanSpeedPct: 613, fanStartC: 614, fanStopC: 615 } as const
const tries = 3
const retryMs = 1000
/** Pumps take their time to be seen running. */
const coolingMs = 60_000
const settingMs = 15_000
const socketMs = 30_000
/** Of a socket the register to write counts down. */
const socketRegister = (socket: number) => 309 - socket
const on = 1
const off = 2

const md5 = (text: string) => createHash('md5').update(text).digest()

/** The CDU takes no write on a connection that has not signed in: a hash over its random number, the name and the password. */
async function login(line: Line, { credentials }: Io): Promise<void> {
  const [account] = credentials
  if (!account) throw new SdkError('DEVICE_AUTH', 'its cooling takes commands only with a user and a password')
  const random = await line.read(wire(301), 4, { unit: units.cdu })
  const hash = createHash('sha256')
    .update(Buffer.concat([random, md5(account.username), md5(account.password)]))
    .digest()
  const words = Array.from({ length: 16 }, (_, index) => hash.readUInt16BE(index * 2))
  try {
    await line.writeMany(wire(305), words, { unit: units.cdu })
  } catch (error) {
    const { code, message } = toSdkError(error)
    if (code !== 'DEVICE_REFUSED' && code !== 'DEVICE_UNSUPPORTED') throw error
    throw new SdkError('DEVICE_AUTH', `signing in: ${message}`, { cause: error })
  }
}

/** Writes to the CDU, signed in anew when it did not answer: the connection may be another one. */
function writeCdu(io: Io, writes: readonly (readonly [number: number, value: number])[]): Promise<void> {
  return onLine(io, async (line) => {
    for (let attempt = 1; ; attempt++) {
      try {
        await login(line, io)
        for (const [number, value] of writes) await line.write(wire(number), value, { unit: units.cdu })
        return
      } catch (error) {
        if (attempt === tries || toSdkError(error).code !== 'DEVICE_TIMEOUT') throw error
        await sleep(io.clock, retryMs, io.signal)
      }
    }
  })
}

const switchCooling: Command<'switchCooling'> = {
  run: ({ on: wanted }, { io }) => writeCdu(io, [[mainSwitch, wanted ? 1 : 0]]),
  settled: (now, { on: wanted }) => now.cooling?.on === wanted && now.running === wanted,
  settleMs: coolingMs,
}

const setCoolingLimits: Command<'setCoolingLimits'> = {
  check(input, _, before) {
    const other = Object.keys(input).find((key) => !Object.hasOwn(limitRegisters, key))
    if (other) throw new SdkError('DEVICE_UNSUPPORTED', `this container has no ${other}`)
    const limits = { ...before.cooling?.limits, ...input }
    if (limits.fanStartC != null && limits.fanStopC != null && limits.fanStopC >= limits.fanStartC)
      throw new SdkError('BAD_REQUEST', 'the fan has to stop at a lower temperature than it starts at')
  },
  run: (input, { io }) =>
    writeCdu(
      io,
      limitsOf(input).map(([name, value]) => [limitRegisters[name], Math.round(value * 100)]),
    ),
  settled: (now, input) => limitsOf(input).every(([name, value]) => now.cooling?.limits?.[name] === value),
  settleMs: settingMs,
}

function limitsOf(input: object): [keyof typeof limitRegisters, number][] {
  return Object.entries(input) as [keyof typeof limitRegisters, number][]
}

const switchSocket: Command<'switchSocket'> = {
  check: ({ sockets }, _, before) => void chosenSockets(sockets, before.pdus ?? []),
  run: ({ sockets }, { io, before }) =>
    onLine(io, async (line) => {
      for (const { pdu, socket, on: wanted } of chosenSockets(sockets, before.pdus ?? [])) {
        const unit = units.firstPdu + Number(pdu) - 1
        await line.write(wire(socketRegister(Number(socket))), wanted ? on : off, { unit })
      }
    }),
  settled: (now: Telemetry, { sockets }) => socketsShow(sockets, now.pdus ?? []),
  settleMs: socketMs,
}

/** Cooling and container are one switch: there is no other. */
export const microbtCommands: Commands = {
  switchContainer: switchCooling as Command<'switchContainer'>,
  switchCooling,
  setCoolingLimits,
  switchSocket,
}
