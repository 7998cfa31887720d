import { SdkError, toSdkError, withDeadline } from '#model'
import { type Io, type PortName, type Protocol, portOf, type Reply } from '../io.js'
import { payloadOf, vendorCodeOf } from './btminer-envelope.js'
import { type Fields, isObject, parseCutJson, parseJson } from './json.js'
import { exchange } from './tcp.js'

/** One read of API v1 or v2 on TCP 4028 (protocols/whatsminer.md §1). */
export interface BtminerRequest {
  readonly cmd: string
  /** A list that this firmware cuts off when it is long; what did arrive of it counts. */
  readonly mayBeCut?: boolean
}

export const rpcPort: PortName = { name: 'rpc', default: 4028 }

/** The cgminer-style reads, which one request can join with `+`. */
const joinable = new Set(['summary', 'edevs', 'pools', 'devdetails'])
/** How long a firmware that does not join is asked command by command, before joining is tried again, ms. */
const aloneMs = 600_000
/** A read that is asked alone must not use up the visit for the others, ms. */
const singleMs = 3_000
/** After this time in a visit no further single read is begun, ms. */
const singlesWithinMs = 6_000

/**
 * Joins all reads that can be joined into one request on one connection; the rest follow one by one, each on its own connection as
 * the firmware wants it, never two at a time. Once the device is gone or silent, nothing more is asked.
 */
export const btminer: Protocol<BtminerRequest> = { name: 'btminer', port: rpcPort, ask }

function ask(io: Io, requests: readonly BtminerRequest[]): Promise<Reply[]> {
  const started = io.clock.hr()
  const together = joinOf(io, requests)
  if (together.requests.length < 2) return askOthers(io, requests, [], together, started)
  const read = (reply: Buffer) => partsOf(parseJson(reply), together, requests)
  return exchange(
    { host: io.host, port: portOf(io, rpcPort), signal: io.signal, payload: together.payload },
    read,
  ).then(
    (replies) =>
      replies.includes(undefined) ? askOthers(io, requests, replies, together, started) : (replies as Reply[]),
    (error: unknown) => askOthers(io, requests, [], together, started, toSdkError(error, 'DEVICE_UNREACHABLE')),
  )
}

/** Those that joining brought nothing of, each by itself; none once the device is gone, as `error` of the joined read may say. */
async function askOthers(
  io: Io,
  requests: readonly BtminerRequest[],
  joined: readonly (Reply | undefined)[],
  together: Join,
  started: number,
  error?: SdkError,
): Promise<Reply[]> {
  const replies = [...joined]
  let gone = error && isGone(error) ? error : undefined
  const left = requests.filter((_, at) => !replies[at])
  for (let at = 0; at < requests.length; at++) {
    if (replies[at]) continue
    if (!gone && io.clock.hr() - started > singlesWithinMs)
      gone = new SdkError('DEVICE_TIMEOUT', 'not asked: the device took all the time for the reads before')
    const reply = gone ? { error: gone } : await askAlone(io, requests[at]!)
    replies[at] = reply
    if ('error' in reply && isGone(reply.error)) gone = reply.error
  }
  if (left.length > 0 && together.requests.length > 1) learn(io, together.requests, left, requests, replies)
  return replies as Reply[]
}

/** The reads that go into one request, and its text. */
interface Join {
  readonly requests: readonly BtminerRequest[]
  readonly payload: string
}

/** By the list of requests: the same lists come again, visit after visit. */
const joins = new WeakMap<readonly BtminerRequest[], Join>()

function joinOf(io: Io, requests: readonly BtminerRequest[]): Join {
  if (aloneOf(io)) return join(requests.filter(({ cmd }) => joinable.has(cmd) && !isAlone(io, cmd)))
  let known = joins.get(requests)
  if (!known) {
    known = join(requests.filter(({ cmd }) => joinable.has(cmd)))
    joins.set(requests, known)
  }
  return known
}

function join(requests: readonly BtminerRequest[]): Join {
  return { requests, payload: JSON.stringify({ cmd: requests.map(({ cmd }) => cmd).join('+') }) }
}

/** The replies in a joined one, by place: all, some, or none if this firmware does not join. Throws DEVICE_BUSY if it says that instead. */
function partsOf(joined: unknown, together: Join, requests: readonly BtminerRequest[]): (Reply | undefined)[] {
  const replies: (Reply | undefined)[] = requests.map(() => undefined)
  if (!isObject(joined)) return replies
  let found = 0
  for (let at = 0; at < requests.length; at++) {
    const { cmd } = requests[at]!
    if (!Object.hasOwn(joined, cmd) || !together.requests.includes(requests[at]!)) continue
    replies[at] = { value: part(joined, cmd) }
    found++
  }
  if (found === 0) throwIfBusy(joined)
  return replies
}

/** What joining left out but a request of its own brought is asked alone from now on. `devdetails`, the rare one, is suspected first. */
function learn(
  io: Io,
  together: readonly BtminerRequest[],
  left: readonly BtminerRequest[],
  requests: readonly BtminerRequest[],
  replies: readonly (Reply | undefined)[],
) {
  const leftOut = together.filter((request) => left.includes(request))
  if (!leftOut.some((request) => 'value' in replies[requests.indexOf(request)]!)) return
  const rare = leftOut.filter(({ cmd }) => cmd === 'devdetails')
  const alone = aloneOf(io) ?? new Map<string, number>()
  io.memory.set(aloneKey, alone)
  for (const { cmd } of rare.length > 0 ? rare : leftOut) alone.set(cmd, io.clock.hr() + aloneMs)
}

/** Each part of a joined reply is a whole reply, mostly in a list of one. */
export function part(joined: Fields, cmd: string): unknown {
  const value = joined[cmd]
  return Array.isArray(value) ? value[0] : value
}

/** One answer instead of many: a busy device, or one that cannot join. */
function throwIfBusy(reply: Fields) {
  try {
    payloadOf(reply, 'the joined read')
  } catch (error) {
    if (error instanceof SdkError && error.code === 'DEVICE_BUSY') throw error
  }
}

async function askAlone(io: Io, request: BtminerRequest): Promise<Reply> {
  try {
    const value = await withDeadline(
      singleMs,
      io.signal,
      (signal) => send(io, { cmd: request.cmd }, signal, request.mayBeCut),
      'DEVICE_TIMEOUT',
    )
    return { value }
  } catch (error) {
    return { error: toSdkError(error, 'DEVICE_UNREACHABLE') }
  }
}

/** One plain request, one reply: the envelope as it came. */
export function send(io: Io, request: object, signal: AbortSignal, mayBeCut = false): Promise<unknown> {
  const payload = JSON.stringify(request)
  return exchange({ host: io.host, port: portOf(io, rpcPort), signal, payload }, mayBeCut ? parseCutJson : parseJson)
}

const goneCodes: readonly string[] = [
  'DEVICE_UNREACHABLE',
  'DEVICE_TIMEOUT',
  'DEVICE_BUSY',
  'UNAVAILABLE',
  'TIMEOUT',
  'CANCELLED',
]

/** Asking on would only be more of the same; a refusal that came as an answer is not meant. */
function isGone(error: SdkError): boolean {
  return goneCodes.includes(error.code) && (error.code === 'DEVICE_BUSY' || vendorCodeOf(error) === undefined)
}

const aloneKey = 'btminer.alone'

/** Until when commands are asked alone; undefined while all can be joined. */
function aloneOf(io: Io): Map<string, number> | undefined {
  return io.memory.get(aloneKey) as Map<string, number> | undefined
}

function isAlone(io: Io, cmd: string): boolean {
  const until = aloneOf(io)?.get(cmd)
  return until !== undefined && io.clock.hr() < until
}
