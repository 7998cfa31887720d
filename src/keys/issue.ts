import b4a from 'b4a'
import crypto from 'hypercore-crypto'
import { check, SdkError } from '#model'
import { type Grant, type GrantFacts, GrantSchema, grantIdOf, statementOf } from './grant.js'
import { rootHeld, whyNotGive } from './held.js'
import { type KeyPair, keyOf } from './key.js'
import { verifyGrant } from './verify.js'

/**
 * Signs a grant: as the root of a fleet without `parent`, else as the one who holds `parent`. Throws FORBIDDEN for more than the issuer
 * holds at `facts.from`, BAD_REQUEST for facts that are none.
 */
export function issueGrant(issuer: KeyPair, parent: Grant | undefined, facts: GrantFacts): Grant {
  const key = keyOf(issuer)
  const nothingRevoked = () => false
  const held = parent
    ? verifyGrant(parent, { fleet: parent.fleet, subject: key, now: facts.from, revoked: nothingRevoked })
    : rootHeld(key)
  const reason = whyNotGive(held, facts)
  if (reason) throw new SdkError('FORBIDDEN', reason)
  if (facts.until !== undefined && facts.until <= facts.from)
    throw new SdkError('BAD_REQUEST', 'a grant must end after it begins')
  const { subject, role, scope, sites, libraries, devices, from, until } = facts
  const unsigned = {
    v: 1 as const,
    fleet: parent?.fleet ?? key,
    subject,
    role,
    ...(scope ? { scope } : {}),
    ...(sites ? { sites: [...sites] } : {}),
    ...(libraries ? { libraries: [...libraries] } : {}),
    ...(devices ? { devices: [...devices] } : {}),
    from,
    ...(until === undefined ? {} : { until }),
    issuer: key,
    ...(parent ? { parent } : {}),
  }
  const bytes = statementOf(unsigned)
  const signature = b4a.toString(crypto.sign(bytes, issuer.secretKey), 'hex')
  return check(GrantSchema, { ...unsigned, id: grantIdOf(bytes), signature }, 'the grant')
}
