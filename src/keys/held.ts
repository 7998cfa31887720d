import { type GrantFacts, limits } from './grant.js'
import { fingerprintOf, type Key } from './key.js'
import { covers, type GrantScope, type Role, roles } from './roles.js'

/** What a key may, after narrowing along its chain. An absent list limits nothing. */
export interface Held {
  readonly key: Key
  readonly role: Role
  readonly scope: GrantScope
  readonly sites?: readonly string[]
  readonly libraries?: readonly string[]
  readonly devices?: readonly string[]
  /** ms; absent: it does not end. */
  readonly until?: number
  /** The roles whose grants it may sign; none at the end of a chain of two. */
  readonly mayIssue: readonly Role[]
}

/** What the root key itself may, without any grant. */
export function rootHeld(fleet: Key): Held {
  return { key: fleet, role: 'owner', scope: 'admin', mayIssue: ['owner', ...roles.owner.issues] }
}

/** Why who holds `held` may not give this; undefined if it may. */
export function whyNotGive(held: Held, facts: GrantFacts): string | undefined {
  const { role, until } = facts
  const who = `${held.role} ${fingerprintOf(held.key)}`
  if (!held.mayIssue.includes(role)) return `${who} may not make grants of the role ${role}${chainNote(held)}`
  const scope = facts.scope ?? roles[role].scope
  if (!covers(roles[role].most, scope)) return `the role ${role} holds ${roles[role].most} at most, not ${scope}`
  if (!covers(held.scope, scope)) return `${who} holds ${held.scope} and cannot give ${scope}`
  for (const limit of limits) {
    const beyond = facts[limit]?.find((name) => held[limit] && !held[limit].includes(name))
    if (beyond !== undefined) return `${who} is limited to other ${limit} than ${beyond}`
  }
  if (until !== undefined && held.until !== undefined && until > held.until)
    return `${who} holds its own grant only until ${iso(held.until)}`
  return undefined
}

function chainNote({ mayIssue, role }: Held): string {
  return mayIssue.length === 0 && roles[role].issues.length > 0
    ? ': its own grant was not signed by the owner, and a chain has two grants at most'
    : ''
}

/** What is left of `held` for whom it gave these facts. Only after `whyNotGive` had no objection. */
export function narrowed(held: Held, facts: GrantFacts, mayIssue: readonly Role[]): Held {
  const { subject, role, scope = roles[role].scope } = facts
  const until = earlier(held.until, facts.until)
  const lists = limits.map((limit) => [limit, facts[limit] ?? held[limit]]).filter(([, list]) => list !== undefined)
  return {
    key: subject,
    role,
    scope,
    ...Object.fromEntries(lists),
    ...(until === undefined ? {} : { until }),
    mayIssue,
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)
}

/** What somebody wants to do, and with what. */
export interface Wanted {
  readonly scope: GrantScope
  readonly site?: string
  readonly library?: string
  readonly deviceId?: string
}

const named = { sites: 'site', libraries: 'library', devices: 'deviceId' } as const

/**
 * Why the holder may not do it; undefined if it may. What the wish does not name counts as all of it: who is limited to some devices may
 * not do what concerns any. Time is not looked at: `verifyGrant` did.
 */
export function whyNot(held: Held, wanted: Wanted): string | undefined {
  const who = `${held.role} ${fingerprintOf(held.key)}`
  if (!covers(held.scope, wanted.scope)) return `this needs the scope ${wanted.scope}, and ${who} holds ${held.scope}`
  for (const limit of limits) {
    const allowed = held[limit]
    const name = wanted[named[limit]]
    if (!allowed || (name !== undefined && allowed.includes(name))) continue
    return name === undefined
      ? `${who} is limited to some ${limit}, and this concerns any of them`
      : `${who} is limited to other ${limit} than ${name}`
  }
  return undefined
}

export function iso(ms: number): string {
  return new Date(ms).toISOString()
}
