import b4a from 'b4a'
import crypto from 'hypercore-crypto'
import { check, SdkError } from '#model'
import { type Grant, GrantSchema, grantIdOf, statementOf } from './grant.js'
import { type Held, iso, narrowed, rootHeld, whyNotGive } from './held.js'
import { bytesOf, fingerprintOf, type Key } from './key.js'
import { roles } from './roles.js'

/** Clocks of peers may differ by so much: a grant counts so much earlier and later than it says. */
export const clockToleranceMs = 120_000

export interface Verification {
  /** The root that the chain must begin with. */
  readonly fleet: Key
  /** ms since the epoch. */
  readonly now: number
  /** Whether a key, or a grant by its id, was revoked. Not asked about the root. */
  readonly revoked: (keyOrGrantId: string) => boolean
  /** The key that showed the grant (that of its connection): nobody acts by another's grant. */
  readonly subject?: Key
}

/**
 * What the grant gives its subject now, narrowed along its chain of one or two. Pure. Throws UNAUTHENTICATED for what is not genuine (not
 * signed, of another fleet, of another subject), FORBIDDEN for what is genuine and does not count (not yet, no more, revoked, more than its
 * issuer held), BAD_REQUEST for what is no grant.
 */
export function verifyGrant(value: Grant, verification: Verification): Held {
  const grant = check(GrantSchema, value, 'the grant')
  const { fleet, subject } = verification
  if (subject !== undefined && grant.subject !== subject)
    throw refused(
      'UNAUTHENTICATED',
      `the grant is of ${fingerprintOf(grant.subject)}, not of ${fingerprintOf(subject)}`,
    )
  const { parent } = grant
  const issuer = parent ? verifyLink(parent, rootHeld(fleet), verification) : rootHeld(fleet)
  return verifyLink(grant, issuer, verification)
}

/** Signatures that were right, by what was signed: to check one costs a hundred times more than to remember it. */
const genuine = new Set<string>()
const maxGenuine = 10_000

function isGenuine(grant: Grant): boolean {
  const bytes = statementOf(grant)
  if (grant.id !== grantIdOf(bytes)) return false
  const signed = `${grant.id}/${grant.signature}`
  if (genuine.has(signed)) return true
  if (!crypto.verify(bytes, b4a.from(grant.signature, 'hex'), bytesOf(grant.issuer))) return false
  if (genuine.size >= maxGenuine) genuine.clear()
  genuine.add(signed)
  return true
}

/** One grant of the chain, against what its issuer holds. */
function verifyLink(grant: Grant, issuer: Held, { fleet, now, revoked }: Verification): Held {
  const name = `the grant of ${grant.role} ${fingerprintOf(grant.subject)}`
  if (grant.fleet !== fleet) throw refused('UNAUTHENTICATED', `${name} is of another fleet`)
  if (grant.issuer !== issuer.key)
    throw refused(
      'UNAUTHENTICATED',
      `${name} was not signed by ${grant.parent ? 'who holds its parent' : "the fleet's owner"}`,
    )
  if (!isGenuine(grant))
    throw refused('UNAUTHENTICATED', `${name} was forged or changed: its signature is not its issuer's`)

  if (revoked(grant.subject)) throw refused('FORBIDDEN', `the key ${fingerprintOf(grant.subject)} was revoked`)
  if (revoked(grant.id)) throw refused('FORBIDDEN', `${name} was revoked`)
  const reason = whyNotGive(issuer, grant)
  if (reason) throw refused('FORBIDDEN', `${name} gives too much: ${reason}`)
  if (now + clockToleranceMs < grant.from)
    throw refused('FORBIDDEN', `${name} counts from ${iso(grant.from)} on; here it is ${iso(now)}: is the clock right?`)
  if (grant.until !== undefined && now - clockToleranceMs >= grant.until)
    throw refused('FORBIDDEN', `${name} ended at ${iso(grant.until)}`)
  return narrowed(issuer, grant, grant.parent ? [] : roles[grant.role].issues)
}

function refused(code: 'UNAUTHENTICATED' | 'FORBIDDEN', why: string): SdkError {
  return new SdkError(code, why)
}
