import b4a from 'b4a'
import z32 from 'z32'
import { SdkError } from '#model'
import { type Address, maxAddresses, readAddress, writeAddress } from './address.js'
import { derive, deriveKeyPair, digest, type KeyPair, type Random, random as systemRandom } from './key.js'

export const inviteSeedBytes = 16

/**
 * What an invite's code holds: a secret of 128 bits, and the nodes of the DHT where its door is found; none means the public DHT. Who it is
 * for, and until when, the door knows.
 */
export interface Invite {
  readonly seed: Uint8Array
  /** `host:port`, at most 4. */
  readonly bootstrap?: readonly string[]
}

/** Who meets at the door: the host listens with one key pair, the guest comes with another, the only one that is let in. */
export interface InviteKeys {
  /** Names the invite where it is kept, listed and revoked; tells nothing of its secret. 32 hex digits. */
  readonly id: string
  readonly door: KeyPair
  readonly guest: KeyPair
  /** See `visitorOf`. */
  readonly visitor: KeyPair
}

export function newInvite(bootstrap?: readonly string[], random: Random = systemRandom): Invite {
  return { seed: random(inviteSeedBytes), ...(bootstrap?.length ? { bootstrap } : {}) }
}

export function inviteKeys(seed: Uint8Array): InviteKeys {
  const id = b4a.toString(derive(seed, 'invite/id').subarray(0, 16), 'hex')
  return {
    id,
    door: deriveKeyPair(seed, 'invite/door'),
    guest: deriveKeyPair(seed, 'invite/guest'),
    visitor: visitorOf(id),
  }
}

/**
 * Whom the relays of the fleet take for the guest of this invite, on its way to the door. Made of the id alone, which all members know: it
 * opens no door.
 */
export function visitorOf(id: string): KeyPair {
  return deriveKeyPair(b4a.from(id, 'hex'), 'invite/visitor')
}

/**
 * The first byte: the version, and how many addresses follow the seed. At the end a checksum of 24 bits. Without addresses these are 20
 * bytes, which z-base-32 writes without a rest in 32 characters: eight groups of four.
 */
const version = 1
const checksumBytes = 3
const shortest = 1 + inviteSeedBytes + checksumBytes
const groupLength = 4
const longestText = 4096

/** The code that a person passes on: groups of four characters of z-base-32, joined by hyphens. Throws BAD_REQUEST. */
export function encodeInvite({ seed, bootstrap = [] }: Invite): string {
  if (seed.byteLength !== inviteSeedBytes) throw wrong(`has a secret of ${inviteSeedBytes} bytes`)
  if (bootstrap.length > maxAddresses) throw wrong(`names at most ${maxAddresses} nodes of its DHT`)
  const head = b4a.from([(version << 4) | bootstrap.length])
  const body = b4a.concat([head, seed, ...bootstrap.map(writeAddress)])
  const text = z32.encode(b4a.concat([body, checksumOf(body)]))
  return text.match(new RegExp(`.{1,${groupLength}}`, 'g'))!.join('-')
}

/**
 * Reads a code as people write and say it: upper or lower case, with or without hyphens and spaces, and with the four characters that
 * z-base-32 leaves out for being mistaken. Throws BAD_REQUEST that says what is wrong; a typing mistake passes once in 16 million.
 */
export function decodeInvite(code: string): Invite {
  const bytes = bytesIn(plain(code))
  const body = bytes.subarray(0, -checksumBytes)
  if (!b4a.equals(bytes.subarray(-checksumBytes), checksumOf(body)))
    throw wrong('has a typing mistake, or a part of it is missing: compare it group by group')
  const head = body[0]!
  if (head >> 4 !== version) throw wrong(`is of version ${head >> 4}, this program knows version ${version}: update it`)
  const seed = b4a.from(body.subarray(1, 1 + inviteSeedBytes))
  const bootstrap = addressesIn(body.subarray(1 + inviteSeedBytes), head & 0x0f)
  return { seed, ...(bootstrap.length ? { bootstrap } : {}) }
}

const alike: Readonly<Record<string, string>> = { '0': 'o', l: '1', v: 'u', '2': 'z' }

function plain(code: string): string {
  if (code.length > longestText) throw wrong('is too long to be one')
  return [...code.toLowerCase()]
    .filter((character) => !/[\s_\-‐-―]/.test(character))
    .map((character) => alike[character] ?? character)
    .join('')
}

function bytesIn(text: string): Uint8Array {
  const strange = [...text].findIndex((character) => !z32.ALPHABET.includes(character))
  if (strange >= 0)
    throw wrong(
      `has none of its characters at place ${strange + 1} (in group ${Math.floor(strange / groupLength) + 1})`,
    )
  const shortestText = Math.ceil((shortest * 8) / 5)
  if (text.length < shortestText) throw wrong(`has ${shortestText} characters or more, and this has ${text.length}`)
  const bytes = z32.decode(text)
  const whole = bytes.subarray(0, Math.floor((text.length * 5) / 8))
  // One code has one way to be written: no rest that says nothing.
  if (z32.encode(whole) !== text) throw wrong('has a typing mistake at its end')
  return whole
}

function addressesIn(bytes: Uint8Array, count: number): string[] {
  if (count > maxAddresses) throw wrong('names too many nodes')
  const found: string[] = []
  let rest = bytes
  for (let index = 0; index < count; index++) {
    const read: Address | undefined = readAddress(rest)
    if (!read) throw wrong('names a node that is none')
    found.push(read.address)
    rest = rest.subarray(read.bytes)
  }
  if (rest.byteLength > 0) throw wrong('is longer than what it says')
  return found
}

function checksumOf(body: Uint8Array): Uint8Array {
  return digest(b4a.concat([b4a.from('miningsdk/invite/1'), body]), 16).subarray(0, checksumBytes)
}

function wrong(why: string): SdkError {
  return new SdkError('BAD_REQUEST', `this is no valid invite: a code ${why}`)
}
