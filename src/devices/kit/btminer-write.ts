import { SdkError, toSdkError, withDeadline } from '#model'
import { type Io, portOf } from '../io.js'
import { rpcPort, send } from './btminer.js'
import { payloadOf, vendorCodeOf } from './btminer-envelope.js'
import { converse, type Line } from './conversation.js'
import { fields, parseJson, str } from './json.js'
import { exchange, jsonScanner } from './tcp.js'
import { type Challenge, decrypt, openSession, type Session, sealCommand } from './whatsminer-crypto.js'

/** A token lives 30 minutes and a device gives out 32 of them: one is kept almost that long, ms. */
const tokenMs = 25 * 60_000
const tokenReplyMs = 8_000
const writeReplyMs = 10_000
/** A command that cuts its own connection is not waited for longer, ms. */
const lostReplyMs = 4_000
const logMs = 60_000
const maxLogBytes = 16 * 1024 * 1024
const firmwareMs = 300_000

interface Opened extends Session {
  readonly challenge: Challenge
  readonly password: string
  readonly until: number
}

export interface WriteOptions {
  /** The command restarts what would answer: no answer is no failure, the read-back decides. */
  readonly mayLoseReply?: boolean
}

/**
 * One encrypted command of API v1/v2 (protocols/whatsminer.md §1.3). Tries the passwords in order, keeps the token, renews it once when the
 * device no longer knows it. Parameters that hold the present password are made of the one that is tried. Answers the decrypted `Msg`.
 * Throws DEVICE_AUTH, DEVICE_WRITE_DISABLED, DEVICE_REFUSED, DEVICE_BUSY ...
 */
export function write(
  io: Io,
  cmd: string,
  params: object | ((password: string) => object) = {},
  options: WriteOptions = {},
): Promise<unknown> {
  return withSession(io, async (session) => {
    const given = typeof params === 'function' ? params(session.password) : params
    const payload = sealCommand({ cmd, ...given }, session)
    const ms = options.mayLoseReply ? lostReplyMs : writeReplyMs
    try {
      const bytes = await withDeadline(
        ms,
        io.signal,
        (signal) => exchange({ host: io.host, port: portOf(io, rpcPort), signal, payload }),
        'DEVICE_TIMEOUT',
      )
      if (bytes.length > 0 || !options.mayLoseReply) return payloadOf(unseal(bytes, session), cmd)
    } catch (error) {
      if (!options.mayLoseReply || !isLost(error)) throw error
    }
    return undefined
  })
}

function isLost(error: unknown): boolean {
  const { code } = toSdkError(error, 'DEVICE_UNREACHABLE')
  return (code === 'DEVICE_TIMEOUT' || code === 'DEVICE_BUSY') && vendorCodeOf(error) === undefined
}

/** `download_logs`: an encrypted header with the length, then the archive itself on the same connection. */
export function downloadLogs(io: Io): Promise<Buffer> {
  return withSession(io, (session) =>
    talk(io, logMs, maxLogBytes, async (line) => {
      line.send(sealCommand({ cmd: 'download_logs' }, session))
      const header = fields(payloadOf(unseal(await line.takeUntil(jsonScanner()), session), 'download_logs'))
      return line.take(lengthOf(header.logfilelen, 'the log'))
    }),
  )
}

/** `update_firmware`: when the device says ready, the length and the file; it answers once more when it took it. */
export function uploadFirmware(io: Io, file: Uint8Array): Promise<unknown> {
  return withSession(io, (session) =>
    talk(io, firmwareMs, undefined, async (line) => {
      line.send(sealCommand({ cmd: 'update_firmware' }, session))
      payloadOf(unseal(await line.takeUntil(jsonScanner()), session), 'update_firmware')
      const length = Buffer.alloc(4)
      length.writeUInt32LE(file.length)
      line.send(length)
      line.send(file)
      return payloadOf(unseal(await line.takeUntil(jsonScanner()), session), 'update_firmware')
    }),
  )
}

export function lengthOf(value: unknown, what: string): number {
  const length = Number(str(value))
  if (!Number.isSafeInteger(length) || length < 0)
    throw new SdkError('DEVICE_BAD_REPLY', `the announced length of ${what} is no number`)
  return length
}

function talk<T>(io: Io, ms: number, maxBytes: number | undefined, job: (line: Line) => Promise<T>): Promise<T> {
  const limit = maxBytes === undefined ? {} : { maxBytes }
  return withDeadline(
    ms,
    io.signal,
    (signal) => converse({ host: io.host, port: portOf(io, rpcPort), signal, ...limit }, job),
    'DEVICE_TIMEOUT',
  )
}

/** The envelope of a reply that may be encrypted, encoded twice, or plain where the error came before the decryption. */
function unseal(bytes: Buffer, session: Session): unknown {
  let reply = parseJson(bytes)
  if (typeof reply === 'string') reply = parseJson(reply)
  const { enc, data } = fields(reply)
  const sealed = typeof enc === 'string' ? enc : typeof data === 'string' ? data : undefined
  if (sealed === undefined) return reply
  const text = decrypt(sealed, session.aesKey)
  if (text === undefined) throw new SdkError('DEVICE_BAD_REPLY', 'the encrypted reply cannot be decrypted')
  const inner = parseJson(text)
  return typeof inner === 'string' ? parseJson(inner) : inner
}

const sessionKey = 'btminer.session'
const tokenExpired = 135

/** Forgets the token: after a change of the password it is void. */
export function forgetSession(io: Io) {
  io.memory.delete(sessionKey)
}

async function withSession<T>(io: Io, job: (session: Opened) => Promise<T>): Promise<T> {
  try {
    return await withPasswords(io, job)
  } catch (error) {
    if (vendorCodeOf(error) !== tokenExpired) throw error
    forgetSession(io)
    return withPasswords(io, job)
  }
}

async function withPasswords<T>(io: Io, job: (session: Opened) => Promise<T>): Promise<T> {
  const kept = keptSession(io)
  const challenge = kept?.challenge ?? (await challengeOf(io))
  const passwords = passwordsOf(io).filter((password) => password !== kept?.password)
  const until = kept?.until ?? io.clock.hr() + tokenMs
  let refusal: unknown
  for (const password of kept ? [kept.password, ...passwords] : passwords) {
    const session =
      password === kept?.password ? kept : { ...openSession(password, challenge), challenge, password, until }
    io.memory.set(sessionKey, session)
    try {
      return await job(session)
    } catch (error) {
      if (!isWrongPassword(error)) throw error
      refusal = error
    }
  }
  forgetSession(io)
  throw refusal
}

function isWrongPassword(error: unknown): boolean {
  return error instanceof SdkError && error.code === 'DEVICE_AUTH' && vendorCodeOf(error) !== tokenExpired
}

function keptSession(io: Io): Opened | undefined {
  const opened = io.memory.get(sessionKey) as Opened | undefined
  return opened && io.clock.hr() < opened.until && passwordsOf(io).includes(opened.password) ? opened : undefined
}

function passwordsOf(io: Io): string[] {
  const passwords = [...new Set(io.credentials.map(({ password }) => password))]
  return passwords.length > 0 ? passwords : ['admin']
}

/** Firmwares answer with different codes: what counts is the salt. */
async function challengeOf(io: Io): Promise<Challenge> {
  const reply = await withDeadline(
    tokenReplyMs,
    io.signal,
    (signal) => send(io, { cmd: 'get_token' }, signal),
    'DEVICE_TIMEOUT',
  )
  const { time, salt, newsalt } = fields(payloadOf(reply, 'get_token'))
  const challenge = { time: str(time), salt: str(salt), newsalt: str(newsalt) }
  if (!challenge.time || !challenge.salt || !challenge.newsalt)
    throw new SdkError('DEVICE_BAD_REPLY', 'the reply to get_token holds no salt')
  return challenge as Challenge
}
