import { execFileSync } from 'node:child_process'
import { setMaxListeners } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { SdkError } from '#model'

/** What a system allows when it does not say. */
const defaultLimit = 256

/** The soft limit of open files of this process. */
export function descriptorLimit(): number {
  return parseLimits(readOrNothing('/proc/self/limits')) ?? parseUlimit(askShell()) ?? defaultLimit
}

/** How many are open now; where the system does not show it, a guess that is rather too high. */
export function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 64
  }
}

/** Descriptors left for sockets after those that are open and `reserve`; never less than 8, so that work goes on, slowly. */
export function freeSockets(reserve: number, limit = descriptorLimit(), open = openDescriptors()): number {
  return Math.max(8, limit - open - reserve)
}

/** The soft limit in the text of /proc/self/limits. */
export function parseLimits(text: string | undefined): number | undefined {
  const value = text?.match(/^Max open files\s+(\d+|unlimited)\s/m)?.[1]
  return value === 'unlimited' ? Number.MAX_SAFE_INTEGER : value === undefined ? undefined : Number(value)
}

function parseUlimit(text: string | undefined): number | undefined {
  const value = text?.trim()
  if (value === 'unlimited') return Number.MAX_SAFE_INTEGER
  return value && /^\d+$/.test(value) ? Number(value) : undefined
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function askShell(): string | undefined {
  try {
    return execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8', timeout: 2000 })
  } catch {
    return undefined
  }
}

const ours = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EAGAIN'])

/** Whether we ran out of sockets ourselves: that says nothing about the device. */
export function isOutOfSockets(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth++) {
    if (ours.has((cause as NodeJS.ErrnoException).code ?? '')) return true
    if (cause instanceof AggregateError && cause.errors.some(isOutOfSockets)) return true
  }
  return false
}

/**
 * Resolves if something accepts a connection at the port within `ms`, and closes it at once. Rejects with DEVICE_UNREACHABLE (the cause
 * tells why) or the signal's reason.
 */
export function knock(host: string, port: number, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const socket = connect({ host, port, noDelay: true })
    let settled = false
    const end = (settle: () => void) => {
      settled = true
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      settle()
    }
    const fail = (message: string, cause?: unknown) =>
      end(() => reject(new SdkError('DEVICE_UNREACHABLE', `${host}:${port} ${message}`, { cause })))
    // When we are the late ones, the answer may lie there already: it is looked at before anybody is called silent.
    const timer = setTimeout(() => setImmediate(() => settled || fail(`does not answer within ${ms} ms`)), ms)
    const onAbort = () => end(() => reject(signal.reason))
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('connect', () => end(resolve))
    socket.once('error', (error: NodeJS.ErrnoException) => fail(describe(error), error))
  })
}

function describe(error: NodeJS.ErrnoException): string {
  if (error.code === 'ECONNREFUSED') return 'refuses the connection'
  if (error.code === 'EHOSTUNREACH' || error.code === 'ENETUNREACH') return 'cannot be reached'
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') return 'has no address'
  return error.code ?? error.message
}

/** Resolves if at least one of the ports accepts; rejects with the first refusal. */
export async function knockAny(host: string, ports: readonly number[], ms: number, signal: AbortSignal): Promise<void> {
  try {
    await Promise.any(ports.map((port) => knock(host, port, ms, signal)))
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof AggregateError ? (error.errors[0] ?? error) : error
  }
}

/** A signal that ends with its parent and that many may listen to at once: how many is bounded by whoever uses it. */
export function sharedSignal(parent: AbortSignal): AbortSignal {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  if (parent.aborted) controller.abort(parent.reason)
  else parent.addEventListener('abort', () => controller.abort(parent.reason), { once: true })
  return controller.signal
}
