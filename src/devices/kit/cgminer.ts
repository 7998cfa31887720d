import { SdkError, toSdkError, withDeadline } from '#model'
import type { Probe } from '../define.js'
import { type Io, type Protocol, portOf } from '../io.js'
import { isTextReply, replyEnd, textReply } from './cgminer-text.js'
import { inTurn } from './in-turn.js'
import { bool, type Fields, fields, num, parseJson, rows, str } from './json.js'
import { exchange } from './tcp.js'

export interface RpcRequest {
  readonly command: string
  readonly parameter?: string
  /** Asks Bitmain's miners of 2021 and later for the form that their web interface gives; older ones give the old form. */
  readonly newApi?: boolean
  /** Ends the request with a line feed. */
  readonly line?: boolean
}

export const rpcPort = { name: 'rpc', default: 4028 } as const

/**
 * The RPC of cgminer and what descends from it (protocols/cgminer.md): one connection a request, one after the other, no combined
 * commands. A reply with status E or F is an error: DEVICE_UNSUPPORTED for an unknown command, DEVICE_WRITE_DISABLED, DEVICE_REFUSED.
 */
export const cgminer: Protocol<RpcRequest> = {
  name: 'cgminer',
  port: rpcPort,
  ask: (io, requests) =>
    inTurn(io, requests, (request) => rpc(io, request), {
      gone: ['DEVICE_UNREACHABLE'],
      otherwise: 'DEVICE_UNREACHABLE',
    }),
}

const noNewApi = 'cgminer: no new_api'

/** One command, one reply; the new form is asked for until the device once refused it. */
export async function rpc(io: Io, { newApi = false, ...request }: RpcRequest): Promise<unknown> {
  if (!newApi || io.memory.has(noNewApi)) return send(io, request)
  try {
    return await send(io, { ...request, new_api: true })
  } catch (error) {
    if (!(error instanceof SdkError) || !['DEVICE_REFUSED', 'DEVICE_UNSUPPORTED'].includes(error.code)) throw error
    io.memory.set(noNewApi, true)
    return send(io, request)
  }
}

/** Longest wait for the answer of a command; of one that may cut the connection, ms. */
const writeMs = 10_000
const lostMs = 5_000

/**
 * One command that changes something, never sent twice. With `mayLoseReply` a connection that ends without an answer is no failure and
 * answers undefined: the read-back decides. Errors as of `rpc`.
 */
export async function rpcWrite(
  io: Io,
  request: RpcRequest,
  { mayLoseReply = false }: { mayLoseReply?: boolean } = {},
): Promise<unknown> {
  const ms = mayLoseReply ? lostMs : writeMs
  const bytes = await withDeadline(
    ms,
    io.signal,
    (signal) => exchangeOf({ ...io, signal }, request),
    'DEVICE_TIMEOUT',
  ).catch((error: unknown) => {
    io.signal.throwIfAborted()
    const { code } = toSdkError(error, 'DEVICE_UNREACHABLE')
    if (mayLoseReply && (code === 'DEVICE_TIMEOUT' || code === 'DEVICE_BUSY')) return undefined
    throw error
  })
  if (bytes === undefined || (mayLoseReply && bytes.length === 0)) return undefined
  return acceptedReply(parseReply(bytes))
}

type Sent = RpcRequest & { readonly new_api?: true }

async function send(io: Io, request: Sent): Promise<unknown> {
  return acceptedReply(parseReply(await exchangeOf(io, request)))
}

function exchangeOf(io: Io, { line = false, ...request }: Sent): Promise<Buffer> {
  const payload = line ? `${JSON.stringify(request)}\n` : JSON.stringify(request)
  return exchange({ host: io.host, port: portOf(io, rpcPort), signal: io.signal, payload, done: replyEnd() })
}

const daemonDown = /^socket connect failed/i
/** What a mining process says when it is told to restart or end. */
const farewell = /^\s*(RESTART|BYE)\b/

function parseReply(reply: Buffer): unknown {
  if (daemonDown.test(reply.subarray(0, 32).toString('latin1')))
    throw new SdkError('DEVICE_BUSY', 'the controller answers, its mining process does not')
  if (farewell.test(reply.subarray(0, 32).toString('latin1'))) return {}
  return isTextReply(reply) ? textReply(reply) : parseJson(reply)
}

/** The reply, unless its status is E or F: those throw as `rpc` does. */
export function acceptedReply(value: unknown): unknown {
  const refusal = refusalOf(value)
  if (refusal) throw refusal
  return value
}

const accessDenied = 45
const unknownCommand = 14

function refusalOf(reply: unknown): SdkError | undefined {
  const { STATUS } = fields(reply)
  const status = fields(Array.isArray(STATUS) ? STATUS[0] : STATUS)
  if (status.STATUS !== 'E' && status.STATUS !== 'F') return undefined
  const message = (str(status.Msg) ?? 'no reason given').slice(0, 200)
  const code = num(status.Code)
  if (code === unknownCommand || /invalid command/i.test(message)) return new SdkError('DEVICE_UNSUPPORTED', message)
  if (code === accessDenied) return new SdkError('DEVICE_WRITE_DISABLED', message)
  return new SdkError('DEVICE_REFUSED', message, { details: { vendorCode: code ?? null } })
}

/** Who answers on the RPC port; shared by all who want to know. A refusal is an answer too: it names the daemon. */
export const rpcVersion: Probe = {
  name: 'rpc version',
  port: rpcPort,
  run: async (io) => parseReply(await exchangeOf(io, { command: 'version' })),
}

/** The rows of a section of a reply. Throws DEVICE_BAD_REPLY if it has none of this name. */
export function section(reply: unknown, name: string): Fields[] {
  const list = fields(reply)[name]
  if (!Array.isArray(list)) throw new SdkError('DEVICE_BAD_REPLY', `the reply has no section ${name}`)
  return rows(list)
}

/** A difficulty as `524K`, `4.29G` or a number. */
export function difficulty(value: unknown): number | undefined {
  const text = str(value)
  const match = text && /^([\d.]+)\s*([kmgtpe])?$/i.exec(text)
  if (!match) return undefined
  const base = num(match[1])
  const power = match[2] ? 'kmgtpe'.indexOf(match[2].toLowerCase()) + 1 : 0
  return base === undefined ? undefined : base * 1000 ** power
}

/** The pools' words for their state; `Deed` is Bitmain's own spelling. */
export function isAlive(status: unknown): boolean | undefined {
  const word = str(status)?.toLowerCase()
  if (word === undefined) return undefined
  if (word === 'alive') return true
  return ['dead', 'deed', 'disabled', 'rejecting', 'unreachable'].includes(word) ? false : bool(word)
}

/** Seconds of `h:mm:ss` or `d days, h:mm:ss` ago; undefined for anything else, also for the plain `0` that means never. */
export function secondsAgo(value: unknown): number | undefined {
  const match = typeof value === 'string' && /^(?:(\d{1,5}) days?,? )?(\d{1,6}):(\d\d):(\d\d)$/.exec(value.trim())
  if (!match) return undefined
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match
  return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)
}
