import b4a from 'b4a'
import { check, SdkError, type Static, Type } from '#model'
import { digest, type Key, keyPattern } from './key.js'
import { grantScopes, type Role, roleNames } from './roles.js'

/** A list that limits a grant: so many names at most, none twice. */
function limitOf(pattern: string) {
  return Type.Optional(Type.Array(Type.String({ pattern }), { minItems: 1, maxItems: 100, uniqueItems: true }))
}

const KeySchema = Type.String({ pattern: keyPattern })
const TimeSchema = Type.Integer({ minimum: 0, maximum: 8.64e15 })
const strict = { additionalProperties: false }

const statement = {
  v: Type.Literal(1),
  /** Derived from the statement; names the grant where it is revoked. */
  id: Type.String({ pattern: '^[0-9a-f]{32}$' }),
  fleet: KeySchema,
  subject: KeySchema,
  role: Type.Enum([...roleNames]),
  scope: Type.Optional(Type.Enum([...grantScopes])),
  sites: limitOf('^[A-Za-z0-9_-]{1,63}$'),
  libraries: limitOf('^[A-Za-z0-9@/._-]{1,100}$'),
  devices: limitOf('^[A-Za-z0-9._~-]{1,200}$'),
  from: TimeSchema,
  until: Type.Optional(TimeSchema),
  issuer: KeySchema,
  signature: Type.String({ pattern: '^[0-9a-f]{128}$' }),
}
const RootGrantSchema = Type.Object(statement, strict)

/** A grant as it travels: its own statement and, if the fleet's root did not sign it, the grant of who did. */
export const GrantSchema = Type.Object({ ...statement, parent: Type.Optional(RootGrantSchema) }, strict)

/**
 * A signed statement: `subject` may act as `role` in the fleet, from and until (ms), with at most `scope`, at these sites, with devices of
 * these libraries, with these devices; what is absent is not limited by it. `issuer` signed it: the root, or who holds `parent`.
 */
export type Grant = Static<typeof GrantSchema>

/** What a grant says, before it has an id and a signature. */
export interface GrantFacts {
  readonly subject: Key
  readonly role: Role
  readonly scope?: Grant['scope']
  readonly sites?: readonly string[]
  readonly libraries?: readonly string[]
  readonly devices?: readonly string[]
  readonly from: number
  readonly until?: number
}

/** The lists that limit a grant. */
export const limits = ['sites', 'libraries', 'devices'] as const

export const maxGrantBytes = 64 * 1024

/** The grant in bytes that a stranger sent. Throws TOO_LARGE or BAD_REQUEST; says nothing of whether it is genuine: see `verifyGrant`. */
export function parseGrant(bytes: Uint8Array | string): Grant {
  // A text is no shorter in bytes than in characters: both are bounded before anything is parsed.
  const size = typeof bytes === 'string' ? bytes.length : bytes.byteLength
  if (size > maxGrantBytes)
    throw new SdkError('TOO_LARGE', `a grant has at most ${maxGrantBytes} bytes, this has ${size}`)
  let value: unknown
  try {
    value = JSON.parse(typeof bytes === 'string' ? bytes : b4a.toString(bytes))
  } catch {
    throw new SdkError('BAD_REQUEST', 'the grant is not JSON: it is cut off or no grant')
  }
  return check(GrantSchema, value, 'the grant')
}

/**
 * The bytes that are signed: every fact at its own place, so that no two statements have the same bytes. The parent is named by its id: the
 * grant is worth only what its issuer held when signing, not what the issuer holds by another grant.
 */
export function statementOf(grant: Omit<Grant, 'id' | 'signature'>): Uint8Array {
  const { fleet, subject, role, scope, sites, libraries, devices, from, until, issuer, parent } = grant
  const facts = [
    'miningsdk/grant/1',
    fleet,
    subject,
    role,
    scope ?? null,
    sites ?? null,
    libraries ?? null,
    devices ?? null,
    from,
    until ?? null,
    issuer,
    parent?.id ?? null,
  ]
  return b4a.from(JSON.stringify(facts))
}

export function grantIdOf(bytes: Uint8Array): string {
  return b4a.toString(digest(bytes, 16), 'hex')
}
