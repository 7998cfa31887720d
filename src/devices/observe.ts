import { SdkError, toSdkError, withDeadline } from '#model'
import type { Device, Read } from './define.js'
import { extract } from './extract.js'
import type { Io, Protocol, Reply } from './io.js'
import type { Observation } from './observation.js'
import type { Replies, StoredReply } from './replies.js'

export interface ObserveOptions {
  /** Of the visit before; slow reads that are young enough are taken from it. */
  readonly previous?: Replies | undefined
  /** Asks every read, however young the last reply: for the read-back of a command. */
  readonly fresh?: boolean
  readonly keepRaw?: boolean
  /** Deadline of the whole visit, ms; default as the device's definition says. */
  readonly timeoutMs?: number
}

/** A slow read that failed is tried again after this, ms, or after its own interval if that is shorter. */
const retryMs = 60_000
/** What a firmware refused as unknown is not asked again for so long, ms. */
const unsupportedMs = 600_000
/** Where there is a second way to the facts, the first may take this share of the deadline. */
const firstWayShare = 0.6

/**
 * One visit: every due read asked once, together, under one deadline; then every field extracted. Fields whose read failed are
 * `missing` with the reason. Throws the most telling error if nothing at all could be read.
 */
export async function observe(device: Device, io: Io, options: ObserveOptions = {}): Promise<Observation> {
  const started = io.clock.hr()
  const now = io.clock.now()
  const timeoutMs = options.timeoutMs ?? device.defaults.timeoutMs
  const previous = options.previous ?? device.unread
  const replies: Record<string, StoredReply | undefined> = { ...previous }
  const first: Named[] = []
  const second: Named[] = []
  for (const name in device.reads) {
    const read = device.reads[name]!
    if (!options.fresh && !isDue(read, previous[name], now)) continue
    const isFirst = read.insteadOf.length === 0 || isSecondWayInUse(read, previous, name)
    ;(isFirst ? first : second).push([name, read])
  }

  await askAll(first, io, second.length > 0 ? timeoutMs * firstWayShare : timeoutMs, replies, now, options.keepRaw)
  if (second.length > 0) {
    const needed = second.filter(([, read]) => read.insteadOf.some((other) => replies[other]?.error))
    const left = timeoutMs - (io.clock.hr() - started)
    if (needed.length > 0 && left > 0) await askAll(needed, io, left, replies, now, options.keepRaw)
  }

  throwIfNothing(first, second, replies, now)
  const { telemetry, missing, model } = extract(device, replies)
  return { telemetry, missing, model, replies, latencyMs: Math.round(io.clock.hr() - started) }
}

type Named = readonly [name: string, read: Read]

function isDue(read: Read, last: StoredReply | undefined, now: number): boolean {
  if (!last) return true
  const age = now - last.at
  if (last.error) {
    if (last.error.code === 'DEVICE_UNSUPPORTED') return age >= unsupportedMs
    return age >= Math.min(read.everyMs, retryMs)
  }
  return age >= read.everyMs
}

/** While the first way fails and the second works, both are asked at once: no visit waits for a way known to be closed. */
function isSecondWayInUse(read: Read, previous: Replies, name: string): boolean {
  return previous[name]?.value !== undefined && read.insteadOf.some((other) => previous[other]?.error !== undefined)
}

/** Each protocol gets its reads at once; most devices have only one. */
function askAll(
  due: readonly Named[],
  io: Io,
  timeoutMs: number,
  into: Record<string, StoredReply | undefined>,
  at: number,
  keepRaw = false,
): Promise<unknown> {
  const protocol = due[0]?.[1].protocol
  if (!protocol) return Promise.resolve()
  if (due.every(([, read]) => read.protocol === protocol)) {
    return askGroup(protocol, due, io, timeoutMs, into, at, keepRaw)
  }
  const groups = new Map<Protocol, Named[]>()
  for (const entry of due) {
    const group = groups.get(entry[1].protocol)
    if (group) group.push(entry)
    else groups.set(entry[1].protocol, [entry])
  }
  return Promise.all([...groups].map(([each, group]) => askGroup(each, group, io, timeoutMs, into, at, keepRaw)))
}

function askGroup(
  protocol: Protocol,
  group: readonly Named[],
  io: Io,
  timeoutMs: number,
  into: Record<string, StoredReply | undefined>,
  at: number,
  keepRaw: boolean,
): Promise<void> {
  const requests = group.map(([, read]) => read.request)
  let asking: Promise<Reply[]> | undefined
  const ask = (signal: AbortSignal) => {
    asking = protocol.ask({ ...io, signal }, requests)
    return asking
  }
  const note = (answers: readonly Reply[]) => {
    for (let index = 0; index < group.length; index++) {
      const [name, read] = group[index]!
      const answer = answers[index] ?? { error: new SdkError('DEVICE_BAD_REPLY', 'no answer to this request') }
      const reply = interpret(read, answer, at, keepRaw)
      const last = into[name]
      into[name] =
        read.lasting && reply.error && last?.value !== undefined ? { ...last, at, outdated: reply.error } : reply
    }
  }
  return withDeadline(timeoutMs, io.signal, ask, 'DEVICE_TIMEOUT').then(note, async (error: unknown) => {
    note((await inTime(asking)) ?? group.map(() => ({ error: toSdkError(error, 'DEVICE_UNREACHABLE') })))
  })
}

/** What a protocol that was cut off at the deadline has until then, if it says so at once: a slow device's first answers are not lost. */
async function inTime(asking: Promise<Reply[]> | undefined): Promise<Reply[] | undefined> {
  const now = new Promise<undefined>((resolve) => setImmediate(resolve, undefined))
  return Promise.race([asking?.catch(() => undefined), now])
}

function interpret(read: Read, reply: Reply, at: number, keepRaw: boolean): StoredReply {
  if ('error' in reply) return { at, error: reply.error }
  let stored: StoredReply
  try {
    stored = { at, value: read.parse(reply.value) }
  } catch (error) {
    stored = { at, error: toSdkError(error, 'DEVICE_BAD_REPLY') }
  }
  return keepRaw ? { ...stored, raw: reply.value } : stored
}

/** The most telling error first: a wrong password says more than a closed side port. */
const telling: readonly string[] = [
  'DEVICE_AUTH',
  'DEVICE_WRITE_DISABLED',
  'DEVICE_BAD_REPLY',
  'DEVICE_BUSY',
  'DEVICE_REFUSED',
  'DEVICE_TIMEOUT',
]

function throwIfNothing(first: readonly Named[], second: readonly Named[], replies: Replies, now: number) {
  const answered = ([name]: Named) => {
    const reply = replies[name]
    return reply?.at === now && !reply.error && !reply.outdated
  }
  if (first.some(answered) || second.some(answered)) return
  const due = [...first, ...second]
  const asked = due.map(([name]) => replies[name]).filter((reply): reply is StoredReply => reply?.at === now)
  const errors = asked.map((reply) => reply.error ?? reply.outdated).filter((error) => error !== undefined)
  if (asked.length === 0) return
  throw telling.map((code) => errors.find((error) => error.code === code)).find((error) => error) ?? errors[0]!
}
