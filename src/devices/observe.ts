import { SdkError, toSdkError, underDeadline } from '#model'
import type { Device, Read } from './define.js'
import { extract } from './extract.js'
import { type Io, ioUntil, type Protocol, type Reply, type Surroundings } from './io.js'
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
export function observe(device: Device, io: Io, options: ObserveOptions = {}): Promise<Observation> {
  return new Promise((resolve, reject) => look(device, io, io.signal, options, resolve, reject))
}

/** `observe` for who makes thousands of visits a second, each of which would cost a chain of promises: one of both is called, once. */
export function look(
  device: Device,
  world: Surroundings,
  signal: AbortSignal,
  options: ObserveOptions,
  done: (seen: Observation) => void,
  failed: (error: unknown) => void,
): void {
  const started = world.clock.hr()
  const now = world.clock.now()
  const timeoutMs = options.timeoutMs ?? device.defaults.timeoutMs
  const previous = options.previous ?? device.unread
  const replies: Record<string, StoredReply | undefined> = { ...previous }
  const { first, second } = planOf(device, previous, now, options.fresh)
  const asking: Asking = { world, signal, replies, at: now, keepRaw: options.keepRaw ?? false }

  askAll(first, asking, second.length > 0 ? timeoutMs * firstWayShare : timeoutMs, () => {
    const needed = second.flatMap((group) => neededOf(group, replies) ?? [])
    const left = timeoutMs - (world.clock.hr() - started)
    if (needed.length > 0 && left > 0) askAll(needed, asking, left, end)
    else end()
  })

  function end() {
    let seen: Observation
    try {
      throwIfNothing(first, second, replies, now)
      const { telemetry, missing, model } = extract(device, replies)
      seen = { telemetry, missing, model, replies, latencyMs: Math.round(world.clock.hr() - started) }
    } catch (error) {
      return failed(error)
    }
    done(seen)
  }
}

/** What the reads of a visit have in common. */
interface Asking {
  readonly world: Surroundings
  readonly signal: AbortSignal
  readonly replies: Record<string, StoredReply | undefined>
  readonly at: number
  readonly keepRaw: boolean
}

/** Reads of one protocol, which gets all of them at once. */
interface Group {
  readonly protocol: Protocol
  readonly names: readonly string[]
  readonly reads: readonly Read[]
  readonly requests: readonly unknown[]
}

/** What one visit asks: at first, and then where a first way was closed. */
interface Plan {
  readonly first: readonly Group[]
  readonly second: readonly Group[]
}

/** Whether a read is asked on a visit, and when. */
type Turn = 0 | 1 | 2

/** The turns of the reads so far, and what may follow. */
class Turns {
  readonly #next: [Turns?, Turns?, Turns?] = []
  plan: Plan | undefined

  after(turn: Turn): Turns {
    const next = this.#next[turn] ?? new Turns()
    this.#next[turn] = next
    return next
  }
}

/** The plans of each definition by the turns of its reads: nearly all visits have one of a few. */
const plans = new WeakMap<Device, { readonly first: Turns; count: number }>()
/** Made anew after so many: devices that fail in every way there is could make thousands. */
const maxPlans = 256

function planOf(device: Device, previous: Replies, now: number, fresh = false): Plan {
  let known = plans.get(device)
  if (!known || known.count > maxPlans) {
    known = { first: new Turns(), count: 0 }
    plans.set(device, known)
  }
  let place = known.first
  for (const name in device.reads) place = place.after(turnOf(device.reads[name]!, name, previous, now, fresh))
  if (!place.plan) {
    place.plan = newPlan(device, previous, now, fresh)
    known.count++
  }
  return place.plan
}

function newPlan(device: Device, previous: Replies, now: number, fresh: boolean): Plan {
  const named = Object.entries(device.reads)
  const groups = (turn: Turn) =>
    groupsOf(named.filter(([name, read]) => turnOf(read, name, previous, now, fresh) === turn))
  return { first: groups(1), second: groups(2) }
}

function turnOf(read: Read, name: string, previous: Replies, now: number, fresh: boolean): Turn {
  if (!fresh && !isDue(read, previous[name], now)) return 0
  return read.insteadOf.length === 0 || isSecondWayInUse(read, previous, name) ? 1 : 2
}

function groupsOf(named: readonly (readonly [name: string, read: Read])[]): Group[] {
  return [...new Set(named.map(([, { protocol }]) => protocol))].map((protocol) => {
    const own = named.filter(([, read]) => read.protocol === protocol)
    const reads = own.map(([, read]) => read)
    return { protocol, names: own.map(([name]) => name), reads, requests: reads.map(({ request }) => request) }
  })
}

/** Of the second ways those whose first one failed. */
function neededOf({ names, reads }: Group, replies: Replies): Group | undefined {
  const named = names.map((name, at): [string, Read] => [name, reads[at]!])
  return groupsOf(named.filter(([, { insteadOf }]) => insteadOf.some((other) => replies[other]?.error)))[0]
}

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

/** Each protocol gets its reads at once. */
function askAll(groups: readonly Group[], asking: Asking, timeoutMs: number, then: () => void): void {
  let left = groups.length
  if (left === 0) then()
  const one = () => {
    if (--left === 0) then()
  }
  for (const group of groups) askGroup(group, asking, timeoutMs, one)
}

function askGroup(group: Group, asking: Asking, timeoutMs: number, then: () => void): void {
  let answers: Promise<Reply[]> | undefined
  underDeadline(
    { ms: timeoutMs, parent: asking.signal, code: 'DEVICE_TIMEOUT' },
    (signal) => {
      answers = group.protocol.ask(ioUntil(signal, asking.world), group.requests)
      return answers
    },
    (replies) => {
      note(group, asking, replies)
      then()
    },
    (error) => {
      inTime(answers).then((replies) => {
        note(group, asking, replies ?? group.names.map(() => ({ error: toSdkError(error, 'DEVICE_UNREACHABLE') })))
        then()
      })
    },
  )
}

function note({ names, reads }: Group, { replies, at, keepRaw }: Asking, answers: readonly Reply[]): void {
  for (let index = 0; index < names.length; index++) {
    const name = names[index]!
    const read = reads[index]!
    const answer = answers[index] ?? { error: new SdkError('DEVICE_BAD_REPLY', 'no answer to this request') }
    const reply = interpret(read, answer, at, keepRaw)
    const last = replies[name]
    replies[name] =
      read.lasting && reply.error && last?.value !== undefined ? { ...last, at, outdated: reply.error } : reply
  }
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

function throwIfNothing(first: readonly Group[], second: readonly Group[], replies: Replies, now: number) {
  const answered = (name: string) => {
    const reply = replies[name]
    return reply?.at === now && !reply.error && !reply.outdated
  }
  const anyOf = ({ names }: Group) => names.some(answered)
  if (first.some(anyOf) || second.some(anyOf)) return
  const due = [...first, ...second].flatMap(({ names }) => names)
  const asked = due.map((name) => replies[name]).filter((reply): reply is StoredReply => reply?.at === now)
  const errors = asked.map((reply) => reply.error ?? reply.outdated).filter((error) => error !== undefined)
  if (asked.length === 0) return
  throw telling.map((code) => errors.find((error) => error.code === code)).find((error) => error) ?? errors[0]!
}
