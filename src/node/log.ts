import { type Logger, pino } from 'pino'
import { errorInfo, type Log, redact } from '#model'

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export interface LogOptions {
  readonly level?: LogLevel
  /** Short text for a person instead of JSON lines; default: on a terminal. */
  readonly text?: boolean
  /** Where the lines go; default: stderr. */
  readonly write?: (line: string) => void
}

/** Lines that wait for a slow reader; what does not fit is dropped rather than kept in memory. */
const maxWaitingBytes = 4 * 1024 * 1024
const maxString = 4_000
const maxItems = 50
const maxDepth = 6

/** The log of a node: every line bounded, secrets removed by name, errors with code and stack. */
export function createLog({ level = 'info', text = process.stderr.isTTY === true, write }: LogOptions = {}): Log {
  const lines = write ? { write } : text ? { write: (line: string) => void process.stderr.write(line) } : toStderr()
  const destination = text ? { write: (line: string) => lines.write(readableLine(line)) } : lines
  const settings = {
    level,
    base: null,
    timestamp: () => `,"at":${Date.now()}`,
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'message',
    // Errors are made plain before, with their codes and within bounds.
    serializers: { err: (facts: unknown) => facts },
  }
  return wrap(pino(settings, destination))
}

function toStderr() {
  const destination = pino.destination({ dest: 2, sync: false, maxLength: maxWaitingBytes })
  // A reader that went away (`| head`) is no reason to fall over.
  destination.on('error', () => {})
  return destination
}

function wrap(logger: Logger): Log {
  const writer = (level: 'debug' | 'info' | 'warn' | 'error') => (facts: object, message: string) => {
    if (logger.isLevelEnabled(level)) logger[level](shown(facts), message)
  }
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    child: (facts) => wrap(logger.child(shown(facts))),
  }
}

/** The facts as they may be written down: plain, short and without secrets. */
export function shown(facts: object): object {
  return redact(bounded(facts, maxDepth)) as object
}

function bounded(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.length > maxString ? `${value.slice(0, maxString)}…` : value
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return errorFacts(value, depth)
  if (value instanceof Date) return value.getTime()
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
  if (depth === 0) return '…'
  if (Array.isArray(value)) {
    const items = value.slice(0, maxItems).map((item) => bounded(item, depth - 1))
    return value.length > maxItems ? [...items, `… ${value.length - maxItems} more`] : items
  }
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, maxItems)
      .map(([key, item]) => [key, bounded(item, depth - 1)]),
  )
}

function errorFacts(error: Error, depth: number): object {
  const { code, message, details } = errorInfo(error)
  return {
    code,
    message: bounded(message, 0),
    ...(details === undefined || depth === 0 ? {} : { details: bounded(details, depth - 1) }),
    stack: bounded(error.stack ?? '', 0),
    ...(error.cause === undefined || depth === 0 ? {} : { cause: bounded(error.cause, depth - 1) }),
  }
}

const marks: Record<string, string> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info ',
  warn: 'WARN ',
  error: 'ERROR',
  fatal: 'FATAL',
}

/** A JSON line of the log for a person: `12:30:05 info  wm-m56s  runs  run=1`, and the stack of an error below it. */
export function readableLine(line: string): string {
  const { level, at, message, service, err, ...facts } = JSON.parse(line) as Record<string, unknown>
  const time = new Date(at as number).toTimeString().slice(0, 8)
  const { code, message: why, stack } = (err ?? {}) as { code?: string; message?: string; stack?: string }
  const pairs = Object.entries(facts).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const head = [time, marks[level as string] ?? level, service, message, ...(err ? [`${code}: ${why}`] : []), ...pairs]
  const trace = err && code === 'INTERNAL' && stack ? `\n${stack.split('\n').slice(1, 8).join('\n')}` : ''
  return `${head.filter((part) => part !== undefined).join('  ')}${trace}\n`
}
