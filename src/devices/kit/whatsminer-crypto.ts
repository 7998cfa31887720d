import { createCipheriv, createDecipheriv, hash } from 'node:crypto'

/** Encryption and signatures of both Whatsminer APIs, as the vendor defined them (protocols/whatsminer.md §1.3 and §2.2). */

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const rounds = 1000
/** The order in which md5crypt writes the 16 bytes of its digest, three at a time. */
const byteOrder = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
] as const

const md5 = (...parts: readonly Uint8Array[]) => hash('md5', Buffer.concat(parts), 'buffer')

/** The 22 characters of BSD md5crypt (`$1$salt$` and these) for a password and a salt of up to 8 characters. */
export function md5crypt(password: string, salt: string): string {
  const key = Buffer.from(password)
  const grain = Buffer.from(salt.slice(0, 8))
  let digest = md5(firstMix(key, grain))
  for (let round = 0; round < rounds; round++) {
    const parts: Buffer[] = [round & 1 ? key : digest]
    if (round % 3) parts.push(grain)
    if (round % 7) parts.push(key)
    parts.push(round & 1 ? digest : key)
    digest = md5(...parts)
  }
  const groups = byteOrder.map(([a, b, c]) => base64Of((digest[a]! << 16) | (digest[b]! << 8) | digest[c]!, 4))
  return groups.join('') + base64Of(digest[11]!, 2)
}

function firstMix(key: Buffer, grain: Buffer): Buffer {
  const inner = md5(key, grain, key)
  const parts: Buffer[] = [key, Buffer.from('$1$'), grain]
  for (let left = key.length; left > 0; left -= 16) parts.push(inner.subarray(0, Math.min(16, left)))
  const zero = Buffer.from([0])
  for (let bits = key.length; bits > 0; bits >>= 1) parts.push(bits & 1 ? zero : key.subarray(0, 1))
  return Buffer.concat(parts)
}

function base64Of(value: number, characters: number): string {
  let text = ''
  for (let rest = value; text.length < characters; rest >>= 6) text += alphabet[rest & 63]
  return text
}

/** What `get_token` answers. */
export interface Challenge {
  readonly time: string
  readonly salt: string
  readonly newsalt: string
}

/** What opens the writes of API v2 for some 30 minutes: `sign` goes into every command as its token, `aesKey` encrypts it. */
export interface Session {
  readonly sign: string
  readonly aesKey: Buffer
}

export function openSession(password: string, { time, salt, newsalt }: Challenge): Session {
  const key = md5crypt(password, salt)
  return { sign: md5crypt(key + time.slice(-4), newsalt), aesKey: hash('sha256', key, 'buffer') }
}

/** AES-256-ECB with zero padding, as base64 without line breaks. */
export function encrypt(text: string, key: Uint8Array): string {
  const plain = Buffer.from(text)
  const padded = Buffer.alloc(Math.ceil(plain.length / 16) * 16)
  plain.copy(padded)
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  return Buffer.concat([cipher.update(padded), cipher.final()]).toString('base64')
}

/** The text of base64 AES-256-ECB with zero or PKCS#7 padding; undefined if it cannot be an encrypted text. */
export function decrypt(data: string, key: Uint8Array): string | undefined {
  const bytes = Buffer.from(data, 'base64')
  if (bytes.length === 0 || bytes.length % 16 !== 0) return undefined
  const decipher = createDecipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  return withoutPadding(Buffer.concat([decipher.update(bytes), decipher.final()])).toString('utf8')
}

function withoutPadding(bytes: Buffer): Buffer {
  const last = bytes[bytes.length - 1]!
  const tail = bytes.subarray(bytes.length - last)
  if (last >= 1 && last <= 16 && tail.every((byte) => byte === last)) return bytes.subarray(0, bytes.length - last)
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  return bytes.subarray(0, end)
}

/** The frame of a v2 command: `{"enc":1,"data":"..."}`. */
export function sealCommand(command: object, session: Session): string {
  return JSON.stringify({ enc: 1, data: encrypt(JSON.stringify({ token: session.sign, ...command }), session.aesKey) })
}

/** The digest of a v3 command. It is the key of its encrypted parameters too. */
export function v3Digest(command: string, password: string, salt: string, ts: number): Buffer {
  return hash('sha256', `${command}${password}${salt}${ts}`, 'buffer')
}

export function v3Token(digest: Uint8Array): string {
  return Buffer.from(digest).toString('base64').slice(0, 8)
}

export function v3EncryptParam(param: unknown, digest: Uint8Array): string {
  return encrypt(JSON.stringify(param), digest)
}
