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

async function ask(io: Io, requests: readonly BtminerRequest[]): Promise<Reply[]> {
  const replies = new Map<BtminerRequest, Reply>()
  const started = io.clock.hr()
  const together = requests.filter(({ cmd }) => joinable.has(cmd) && !isAlone(io, cmd))
  let gone = together.length > 1 ? await askTogether(io, together, replies) : undefined
  if (replies.size === requests.length) return requests.map((request) => replies.get(request)!)
  const left = requests.filter((request) => !replies.has(request))
  for (const request of left) {
    if (!gone && io.clock.hr() - started > singlesWithinMs)
      gone = new SdkError('DEVICE_TIMEOUT', 'not asked: the device took all the time for the reads before')
    const reply = gone ? { error: gone } : await askAlone(io, request)
    replies.set(request, reply)
    if ('error' in reply && isGone(reply.error)) gone = reply.error
  }
  if (together.length > 1) learn(io, together, left, replies)
  return requests.map((request) => replies.get(request)!)
}

/** Fills in the replies of one joined request: all, some, or none if this firmware does not join. Answers the error if the device is gone. */
async function askTogether(
  io: Io,
  requests: readonly BtminerRequest[],
  replies: Map<BtminerRequest, Reply>,
): Promise<SdkError | undefined> {
  try {
    const joined = await send(io, { cmd: requests.map(({ cmd }) => cmd).join('+') }, io.signal)
    if (!isObject(joined)) return undefined
    const found = requests.filter(({ cmd }) => Object.hasOwn(joined, cmd))
    for (const request of found) replies.set(request, { value: part(joined, request.cmd) })
    if (found.length === 0) throwIfBusy(joined)
    return undefined
  } catch (error) {
    const known = toSdkError(error, 'DEVICE_UNREACHABLE')
    if (!isGone(known)) return undefined
    for (const request of requests) replies.set(request, { error: known })
    return known
  }
}

/** What joining left out but a request of its own brought is asked alone from now on. `devdetails`, the rare one, is suspected first. */
function learn(
  io: Io,
  together: readonly BtminerRequest[],
  left: readonly BtminerRequest[],
  replies: ReadonlyMap<BtminerRequest, Reply>,
) {
  const leftOut = together.filter((request) => left.includes(request))
  if (!leftOut.some((request) => 'value' in replies.get(request)!)) return
  const rare = leftOut.filter(({ cmd }) => cmd === 'devdetails')
  const alone = aloneOf(io) ?? new Map<string, number>()
  io.memory.set(aloneKey, alone)
  for (const { cmd } of rare.length > 0 ? rare : leftOut) alone.set(cmd, io.clock.hr() + aloneMs)
}

/** Each part of a joined reply is a whole reply, mostly in a list of one. */
function part(joined: Fields, cmd: string): unknown {
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
