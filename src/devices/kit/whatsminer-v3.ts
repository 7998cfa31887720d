import { type ErrorCode, SdkError, toSdkError, withDeadline } from '#model'
import { type Credentials, type Io, type PortName, type Protocol, portOf, type Reply } from '../io.js'
import { converse, type Line } from './conversation.js'
import { fields, isObject, num, parseJson, str } from './json.js'
import { v3Digest, v3EncryptParam, v3Token } from './whatsminer-crypto.js'

/** One request of API v3 on TCP 4433 (protocols/whatsminer.md §2). */
export interface V3Request {
  readonly cmd: string
  readonly param?: unknown
}

export const v3Port: PortName = { name: 'v3', default: 4433 }

const statusCommand = 'get.miner.status'
const maxFrame = 4 * 1024 * 1024
/** Heartbeats and unasked reports between a question and its answer; more is no conversation. */
const maxStray = 16
/** A reply that never comes must not cost those that came: shorter than the deadline of a visit, ms. */
const visitMs = 7_000
const writeReplyMs = 10_000
const lostReplyMs = 4_000

/** All requests one after the other on one connection; the sections of the miner's status joined into one request. */
export const whatsminerV3: Protocol<V3Request> = { name: 'whatsminer-v3', port: v3Port, ask }

async function ask(io: Io, requests: readonly V3Request[]): Promise<Reply[]> {
  const replies = new Map<V3Request, Reply>()
  let gone: SdkError | undefined
  try {
    await withDeadline(
      visitMs,
      io.signal,
      (signal) =>
        v3Conversation(io, signal, async (line) => {
          await askStatus(line, requests.filter(isStatus), replies)
          for (const request of requests) {
            if (!replies.has(request)) replies.set(request, { value: await askV3(line, request) })
          }
        }),
      'DEVICE_TIMEOUT',
    )
  } catch (error) {
    gone = toSdkError(error, 'DEVICE_UNREACHABLE')
  }
  return requests.map((request) => replies.get(request) ?? { error: gone! })
}

function isStatus({ cmd, param }: V3Request): boolean {
  return cmd === statusCommand && typeof param === 'string'
}

/** `summary+pools+edevs` at once. An idle miner may refuse that as a whole: then each section is asked by itself. */
async function askStatus(line: Line, requests: readonly V3Request[], replies: Map<V3Request, Reply>) {
  if (requests.length < 2) return
  const param = requests.map((request) => request.param).join('+')
  const value = await askV3(line, { cmd: statusCommand, param })
  if (num(fields(value).code) !== 0) return
  for (const request of requests) {
    if (Object.hasOwn(fields(fields(value).msg), String(request.param))) replies.set(request, { value })
  }
}

/** A connection for several requests; closed at the end in any case. */
export function v3Conversation<T>(io: Io, signal: AbortSignal, talk: (line: Line) => Promise<T>): Promise<T> {
  return converse({ host: io.host, port: portOf(io, v3Port), signal, maxBytes: maxFrame * 4 }, talk)
}

/** The reply as it came: `{ code, when, msg, desc }`. */
export async function askV3(line: Line, request: V3Request): Promise<unknown> {
  sendFrame(line, JSON.stringify(request))
  return receive(line, request.cmd)
}

function sendFrame(line: Line, text: string) {
  const body = Buffer.from(text)
  const frame = Buffer.allocUnsafe(4 + body.length)
  frame.writeUInt32LE(body.length)
  body.copy(frame, 4)
  line.send(frame)
}

/** The next answer to `cmd`, past heartbeats (empty frames) and reports that nobody asked for. */
export async function receive(line: Line, cmd: string): Promise<unknown> {
  for (let stray = 0; stray < maxStray; stray++) {
    const length = (await line.take(4)).readUInt32LE()
    if (length === 0) continue
    if (length > maxFrame) throw new SdkError('DEVICE_BAD_REPLY', `a frame of ${length} bytes is announced`)
    const reply = parseJson(await line.take(length))
    if (fields(reply).desc !== 'get.miner.report') return reply
  }
  throw new SdkError('DEVICE_BAD_REPLY', `no answer to ${cmd} among ${maxStray} frames`)
}

/** What the codes of a refusal mean (protocols/whatsminer.md §2.1). */
const refusals: Readonly<Record<number, readonly [code: ErrorCode, says: string]>> = {
  [-1]: ['DEVICE_REFUSED', 'it failed'],
  [-2]: ['DEVICE_UNSUPPORTED', 'it does not know the command or its value'],
  [-3]: ['DEVICE_REFUSED', 'it misses a part of the request'],
  [-4]: ['DEVICE_AUTH', 'it permits this not: token, account, password or the API switch'],
  [-5]: ['DEVICE_BUSY', 'it is out of memory'],
}
const noPermission = -4
const messageLength = 160

/** The `msg` of a good reply; throws the error that its code means, with the vendor's code and message in the details. */
export function messageOfV3(reply: unknown, cmd: string): unknown {
  const { code, msg } = fields(reply)
  const number = num(code)
  if (number === 0) return msg
  if (number === undefined) throw new SdkError('DEVICE_BAD_REPLY', `the reply to ${cmd} has no code`)
  const [ours, says] = refusals[number] ?? ['DEVICE_REFUSED', `it answers code ${number}`]
  const vendorMessage = typeof msg === 'string' ? msg.slice(0, messageLength) : undefined
  throw new SdkError(ours, `${cmd}: ${says}${vendorMessage ? ` ("${vendorMessage}")` : ''}`, {
    details: { vendorCode: number, vendorMessage },
  })
}

export interface V3WriteOptions {
  /** The command cuts the connection: no answer is no failure, the read-back decides. */
  readonly mayLoseReply?: boolean
  /** The parameter goes encrypted with the digest of the command. */
  readonly encrypted?: boolean
  /** Longest wait for the answer, ms. */
  readonly replyMs?: number
  /** Goes on with the conversation after the first good answer. */
  readonly goOn?: (line: Line, message: unknown) => Promise<unknown>
}

type Param = unknown | ((account: Credentials) => unknown)

/**
 * One signed command (protocols/whatsminer.md §2.2): the accounts in order, the device's own clock, the salt kept; after a refusal for
 * lack of permission once more with a fresh salt. Answers `msg`. Throws DEVICE_WRITE_DISABLED if the device says that its API switch is off.
 */
export async function writeV3(io: Io, cmd: string, param?: Param, options: V3WriteOptions = {}): Promise<unknown> {
  const ms = options.replyMs ?? (options.mayLoseReply ? lostReplyMs : writeReplyMs)
  let sent = false
  try {
    return await withDeadline(
      ms,
      io.signal,
      (signal) =>
        v3Conversation(io, signal, async (line) => {
          const reply = await signed(line, io, cmd, param, options, () => {
            sent = true
          })
          const message = messageOfV3(reply, cmd)
          return options.goOn ? options.goOn(line, message) : message
        }),
      'DEVICE_TIMEOUT',
    )
  } catch (error) {
    const { code, details } = toSdkError(error, 'DEVICE_UNREACHABLE')
    const lost = (code === 'DEVICE_TIMEOUT' || code === 'DEVICE_BUSY') && fields(details).vendorCode === undefined
    if (options.mayLoseReply && sent && lost) return undefined
    throw error
  }
}

async function signed(
  line: Line,
  io: Io,
  cmd: string,
  param: Param,
  options: V3WriteOptions,
  onSent: () => void,
): Promise<unknown> {
  let last: unknown
  for (const account of accountsOf(io)) {
    for (const fresh of [false, true]) {
      if (fresh) io.memory.delete(saltKey)
      const kept = io.memory.has(saltKey)
      const salt = await saltOf(line, io)
      sendFrame(line, JSON.stringify(signedRequest(io, cmd, param, account, salt, options)))
      onSent()
      last = await receive(line, cmd)
      if (num(fields(last).code) !== noPermission) return last
      if (!kept) break
    }
  }
  await throwIfSwitchedOff(line, cmd)
  return last
}

function signedRequest(io: Io, cmd: string, param: Param, account: Credentials, salt: Salt, options: V3WriteOptions) {
  const ts = Math.floor((io.clock.now() + salt.offsetMs) / 1000)
  const digest = v3Digest(cmd, account.password, salt.salt, ts)
  const given = typeof param === 'function' ? (param as (account: Credentials) => unknown)(account) : param
  return {
    cmd,
    ts,
    token: v3Token(digest),
    account: account.username,
    ...(given === undefined ? {} : { param: options.encrypted ? v3EncryptParam(given, digest) : given }),
  }
}

interface Salt {
  readonly salt: string
  /** The device's clock minus ours, ms. */
  readonly offsetMs: number
}
const saltKey = 'whatsminer-v3.salt'

/** Forgets the salt: after a change of the password there is a new one. */
export function forgetSalt(io: Io) {
  io.memory.delete(saltKey)
}

async function saltOf(line: Line, io: Io): Promise<Salt> {
  const kept = io.memory.get(saltKey) as Salt | undefined
  if (kept) return kept
  const reply = await askV3(line, { cmd: 'get.device.info', param: 'salt' })
  const message = messageOfV3(reply, 'get.device.info')
  const salt = isObject(message) ? str(message.salt) : undefined
  if (!salt) throw new SdkError('DEVICE_BAD_REPLY', 'the device tells no salt')
  const when = num(fields(reply).when)
  const known = { salt, offsetMs: when ? when * 1000 - io.clock.now() : 0 }
  io.memory.set(saltKey, known)
  return known
}

async function throwIfSwitchedOff(line: Line, cmd: string) {
  const info = messageOfV3(await askV3(line, { cmd: 'get.device.info', param: 'system' }), 'get.device.info')
  const { apiswitch } = fields(fields(info).system)
  if (str(apiswitch) === '0') throw new SdkError('DEVICE_WRITE_DISABLED', `${cmd}: the API switch of the device is off`)
}

function accountsOf(io: Io): readonly Credentials[] {
  return io.credentials.length > 0 ? io.credentials : [{ username: 'super', password: 'super' }]
}
