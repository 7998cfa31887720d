import { fingerprintOf, type Grant, issueGrant } from '#keys'
import { defined, SdkError } from '#model'
import type { Guest, InviteRequest, IssuedInvite } from '#rpc'
import { pause } from './commands/pause.js'
import type { Owner } from './owner.js'
import type { SiteClient } from './site-client.js'

const lookMs = 1_000

/** Makes an invite that the owner signs. Throws FORBIDDEN or BAD_REQUEST, before anything is made, for a grant that cannot be. */
export async function makeInvite(site: SiteClient, owner: Owner, request: InviteRequest): Promise<IssuedInvite> {
  grantFor(owner.fleet, owner, request)
  const made = await site.send<IssuedInvite>('POST', '/api/v1/invites', { ...request, byOwner: true })
  const { role, sites } = request
  const intent = { op: 'putInvite', id: made.id, role, until: made.expiresAt, ...(sites ? { sites } : {}) } as const
  await site.send('POST', `/api/v1/invites/${made.id}/confirm`, { owner: await owner.word(intent) })
  return made
}

/**
 * Waits until a guest comes with the invite and signs its grant, for its key is not known before. Answers who
 * it is; throws TIMEOUT when the invite ended.
 */
export async function signGuest(
  site: SiteClient,
  owner: Owner,
  { id, expiresAt }: IssuedInvite,
  request: InviteRequest,
  signal: AbortSignal,
): Promise<string> {
  while (Date.now() < expiresAt) {
    const { guest } = await site.get<{ guest: Guest | null }>(`/api/v1/invites/${id}/guest`)
    if (guest) {
      await site.send('POST', `/api/v1/invites/${id}/grant`, { grant: grantFor(guest.key, owner, request) })
      return `${guest.name} (${fingerprintOf(guest.key)})`
    }
    await pause(lookMs, signal)
  }
  throw new SdkError('TIMEOUT', 'nobody came with this invite before it ended')
}

function grantFor(subject: string, { keyPair }: Owner, request: InviteRequest): Grant {
  const { role, scope, sites, libraries, devices, grantForMs } = request
  const from = Date.now()
  return issueGrant(keyPair, undefined, {
    subject,
    role,
    from,
    ...defined({ scope, sites, libraries, devices }),
    ...(grantForMs === undefined ? {} : { until: from + grantForMs }),
  })
}
