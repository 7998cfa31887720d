import { createHash, randomBytes } from 'node:crypto'
import type { Credentials } from '../io.js'

/** What a server asks for in `WWW-Authenticate: Digest ...` (RFC 7616, qop `auth` or none). */
export interface Challenge {
  readonly realm: string
  readonly nonce: string
  readonly opaque: string | undefined
  readonly qop: 'auth' | undefined
  readonly algorithm: string
  /** The nonce was too old; the password was right. */
  readonly stale: boolean
}

/** Name on the wire to the name of the hash. Bitmain asks for MD5, which is also meant where nothing is said. */
const hashes: Readonly<Record<string, string>> = { md5: 'md5', 'sha-256': 'sha256' }
/** A real challenge is some 150 characters. */
const maxLength = 4096
/** A token, alone (the scheme) or with a value, quoted or not. */
const piece = /[\s,]*([\w!#$%&'*+.^`|~-]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/y

/**
 * The first digest challenge that we can answer, of one header or several, also beside other schemes; undefined if there is none.
 * Takes any text: what it cannot read ends the reading.
 */
export function parseChallenge(header: string | readonly string[] | undefined): Challenge | undefined {
  const texts = typeof header === 'string' ? [header] : (header ?? [])
  for (const text of texts) {
    for (const { scheme, params } of schemes(text.slice(0, maxLength))) {
      const challenge = scheme === 'digest' ? challengeOf(params) : undefined
      if (challenge) return challenge
    }
  }
  return undefined
}

interface Scheme {
  readonly scheme: string
  readonly params: Map<string, string>
}

function schemes(text: string): Scheme[] {
  const found: Scheme[] = []
  piece.lastIndex = 0
  for (let match = piece.exec(text); match; match = piece.exec(text)) {
    const [, name = '', quoted, plain] = match
    const value = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1')
    if (value === undefined) found.push({ scheme: name.toLowerCase(), params: new Map() })
    else found.at(-1)?.params.set(name.toLowerCase(), value)
  }
  return found
}

function challengeOf(params: ReadonlyMap<string, string>): Challenge | undefined {
  const nonce = params.get('nonce')
  const algorithm = params.get('algorithm') ?? 'MD5'
  const qops = params
    .get('qop')
    ?.toLowerCase()
    .split(/[\s,]+/)
  if (!nonce || !hashes[algorithm.toLowerCase()] || (qops && !qops.includes('auth'))) return undefined
  return {
    realm: params.get('realm') ?? '',
    nonce,
    opaque: params.get('opaque'),
    qop: qops ? 'auth' : undefined,
    algorithm,
    stale: params.get('stale')?.toLowerCase() === 'true',
  }
}

/** One login: a challenge, who answers it, and how often its nonce was used. Lives in the memory of the device. */
export interface Session {
  readonly challenge: Challenge
  readonly credentials: Credentials
  /** Hash of name, realm and password. A secret like the password itself. */
  readonly ha1: string
  /** Ours; together with the count no answer is ever the same as another. */
  readonly cnonce: string
  count: number
}

export function openSession(
  challenge: Challenge,
  credentials: Credentials,
  cnonce = randomBytes(8).toString('hex'),
): Session {
  const ha1 = hash(challenge, `${credentials.username}:${challenge.realm}:${credentials.password}`)
  return { challenge, credentials, ha1, cnonce, count: 0 }
}

/** The value of `Authorization` for the next request of the session; counts up, so that the nonce may be used again. */
export function authorization(session: Session, method: string, uri: string): string {
  const { challenge, credentials, ha1, cnonce } = session
  session.count++
  const nc = session.count.toString(16).padStart(8, '0')
  const ha2 = hash(challenge, `${method}:${uri}`)
  const middle = challenge.qop ? `${challenge.nonce}:${nc}:${cnonce}:${challenge.qop}` : challenge.nonce
  const response = hash(challenge, `${ha1}:${middle}:${ha2}`)
  const parts = [
    `username=${quote(credentials.username)}`,
    `realm=${quote(challenge.realm)}`,
    `nonce=${quote(challenge.nonce)}`,
    `uri=${quote(uri)}`,
    `algorithm=${challenge.algorithm}`,
    `response="${response}"`,
  ]
  if (challenge.opaque !== undefined) parts.push(`opaque=${quote(challenge.opaque)}`)
  if (challenge.qop) parts.push(`qop=${challenge.qop}`, `nc=${nc}`, `cnonce="${cnonce}"`)
  return `Digest ${parts.join(', ')}`
}

function hash({ algorithm }: Challenge, text: string): string {
  return createHash(hashes[algorithm.toLowerCase()]!).update(text).digest('hex')
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
