import { SdkError } from '#model'
import type { Io } from '../io.js'
import { rpcWrite } from './cgminer.js'
import { fields, rows, str } from './json.js'
import { connected } from './luxos.js'

/**
 * The session of LuxOS (protocols/luxos.md §2): a miner has one for all the world, and what changes settings needs it as the first
 * parameter. It is taken for one order, renewed once when it has run out, given back after it, and never taken from somebody else.
 */
const sessionKey = 'luxos session'

type Parameter = string | number
export type LuxWrite = (command: string, ...parameters: readonly Parameter[]) => Promise<unknown>

/**
 * Lets `job` write within a session. Throws DEVICE_BUSY while somebody else holds it, DEVICE_REFUSED with the miner's words. With `leaves`
 * the order ends the session itself (a reboot), and its answer may be lost.
 */
export async function inSession<T>(
  io: Io,
  job: (write: LuxWrite) => Promise<T>,
  { leaves = false }: { leaves?: boolean } = {},
): Promise<T> {
  // One that could not be given back last time is still ours.
  let id = (io.memory.get(sessionKey) as string | undefined) ?? (await logon(io))
  const send = (command: string, parameters: readonly Parameter[]) =>
    luxWrite(io, command, [id, ...parameters], { mayLoseReply: leaves })
  const write: LuxWrite = async (command, ...parameters) => {
    try {
      return await send(command, parameters)
    } catch (error) {
      if (!isStale(error)) throw error
      io.memory.delete(sessionKey)
      id = await logon(io)
      return send(command, parameters)
    }
  }
  let isOver = false
  try {
    const result = await job(write)
    isOver = leaves
    return result
  } finally {
    if (isOver) io.memory.delete(sessionKey)
    else await logoff(io, id)
  }
}

async function logon(io: Io): Promise<string> {
  let reply: unknown
  try {
    reply = await luxWrite(io, 'logon', [])
  } catch (error) {
    if (!isTaken(error)) throw error
    throw new SdkError(
      'DEVICE_BUSY',
      'somebody else holds the only session of this miner (its page, or another program); it ends about a minute after their last command: try again then',
    )
  }
  const id = str(rows(fields(reply).SESSION)[0]?.SessionID)
  if (id === undefined) throw new SdkError('DEVICE_BAD_REPLY', 'the miner gave no session')
  io.memory.set(sessionKey, id)
  return id
}

/** A session that cannot be given back is kept for the next order; the miner ends it by itself. */
async function logoff(io: Io, id: string) {
  try {
    await luxWrite(io, 'logoff', [id])
    io.memory.delete(sessionKey)
  } catch (error) {
    if (isStale(error)) io.memory.delete(sessionKey)
  }
}

/** One command that changes something, without a session. Parameters are joined by commas, so none may hold one. */
export function luxWrite(
  io: Io,
  command: string,
  parameters: readonly Parameter[],
  options: { mayLoseReply?: boolean } = {},
): Promise<unknown> {
  const parameter = parameters.length === 0 ? {} : { parameter: parameters.join(',') }
  return connected(io, () => rpcWrite(io, { command, ...parameter, line: true }, options))
}

const anotherSession = 402

function isTaken(error: unknown): boolean {
  if (!(error instanceof SdkError) || error.code !== 'DEVICE_REFUSED') return false
  return fields(error.details).vendorCode === anotherSession || /another session/i.test(error.message)
}

/** The session has run out: the refusal names it. */
export function isStale(error: unknown): boolean {
  return (
    error instanceof SdkError && error.code === 'DEVICE_REFUSED' && /session/i.test(error.message) && !isTaken(error)
  )
}
