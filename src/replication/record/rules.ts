import { covers, type Grant, type GrantScope, type Role } from '#keys'
import type { Author, Reason } from './intent.js'

/** Rules that several intents share. Each answers why not; undefined: it may. */

/** Whoever may write the record at all: that was looked at before. */
export function anyWriter(): Reason | undefined {
  return undefined
}

export function needs(scope: GrantScope): (author: Author) => Reason | undefined {
  return ({ held }) => (covers(held.scope, scope) ? undefined : 'role')
}

/** Makes members of this role, at these sites. */
export function mayInvite(author: Author, role: Role, sites: readonly string[] | undefined): Reason | undefined {
  if (!author.held.mayIssue.includes(role)) return 'role'
  return within(author.held.sites, sites) ? undefined : 'role'
}

/**
 * Has a say about who holds the grant: the owner about all; an admin about those whom it could have made; everybody about the grants that
 * it signed, and about itself.
 */
export function mayRule(author: Author, grant: Grant): Reason | undefined {
  if (author.owner || grant.issuer === author.key || grant.subject === author.key) return undefined
  if (!covers(author.held.scope, 'admin')) return 'role'
  return mayInvite(author, grant.role, grant.sites)
}

function within(allowed: readonly string[] | undefined, asked: readonly string[] | undefined): boolean {
  return !allowed || asked?.every((name) => allowed.includes(name)) === true
}

/** May speak of this site: whoever is not limited to others. */
export function atSite(site: string | undefined): (author: Author) => Reason | undefined {
  return ({ held }) => (within(held.sites, site === undefined ? undefined : [site]) ? undefined : 'role')
}
