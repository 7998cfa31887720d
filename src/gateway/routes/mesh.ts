import { SdkError, Type } from '#model'
import {
  type Caller,
  FleetInfoSchema,
  fleetContract,
  InviteRequestSchema,
  InviteSchema,
  IssuedInviteSchema,
  MemberSchema,
  PeerSchema,
  ReachSchema,
  registrar,
} from '#rpc'
import type { Gateway } from '../gateway.js'
import { reach } from '../reach.js'
import { route } from '../route.js'
import { IdParams, listOf, nullable, strict } from './shapes.js'

const KeyParams = Type.Object({ key: Type.String({ pattern: '^[0-9a-f]{64}$' }) }, strict)

export const meshRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/mesh',
    group: 'mesh',
    scope: 'read',
    summary: 'The fleet that this node belongs to, and the peers it is connected with; `fleet` is null without one',
    reply: Type.Object({ fleet: nullable(FleetInfoSchema), peers: Type.Array(PeerSchema) }),
    async handle(gateway, { caller }) {
      const own = ownFleet(gateway, caller)
      if (!own) return { fleet: null, peers: [] }
      const [fleet, peers] = await Promise.all([own.describe({}), own.peers({})])
      return { fleet, peers }
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/mesh/reach/{key}',
    group: 'mesh',
    scope: 'read',
    summary: 'Tries to reach a member now, and says what stands between',
    params: KeyParams,
    reply: ReachSchema,
    handle: (gateway, { caller, params }) => needFleet(gateway, caller).diagnose(params, { timeoutMs: 30_000 }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/members',
    group: 'mesh',
    scope: 'read',
    summary: 'The peers of the fleet: their roles, sites and whether they are connected',
    reply: listOf(MemberSchema),
    handle: async (gateway, { caller }) => ({ data: await needFleet(gateway, caller).members({}) }),
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/members/{key}',
    group: 'mesh',
    scope: 'admin',
    summary: 'Takes the membership back; its connections end as soon as its peers know',
    params: KeyParams,
    query: Type.Object({ reason: Type.Optional(Type.String({ maxLength: 500 })) }, strict),
    async handle(gateway, { caller, params: { key }, query: { reason = '' } }) {
      await needRegistrar(gateway, caller).revokeMember({ key, reason })
      return undefined
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/invites',
    group: 'mesh',
    scope: 'admin',
    summary: 'Invitations, without their codes',
    reply: listOf(InviteSchema),
    handle: async (gateway, { caller }) => ({ data: await needFleet(gateway, caller).invites({}) }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/invites',
    group: 'mesh',
    scope: 'admin',
    summary: 'Makes an invitation for one machine; its code is told this once',
    body: InviteRequestSchema,
    reply: IssuedInviteSchema,
    status: 201,
    audit: { result: ({ id }) => id },
    handle: (gateway, { caller, body }) => needRegistrar(gateway, caller).invite(body),
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/invites/{id}',
    group: 'mesh',
    scope: 'admin',
    summary: 'Takes an invitation back that nobody has used',
    params: IdParams,
    async handle(gateway, { caller, params }) {
      await needRegistrar(gateway, caller).revokeInvite(params)
      return undefined
    },
  }),
]

/** The answer of the own node, which stands first. */
function ownFleet({ directory }: Gateway, caller: Caller) {
  return reach(directory, fleetContract, caller)[0]?.client
}

function needFleet(gateway: Gateway, caller: Caller) {
  const own = ownFleet(gateway, caller)
  if (own) return own
  throw new SdkError('NOT_FOUND', 'this site belongs to no fleet; make one with `miningsdk fleet create`')
}

function needRegistrar(gateway: Gateway, caller: Caller) {
  needFleet(gateway, caller)
  const [first] = reach(gateway.directory, registrar, caller)
  if (first) return first.client
  throw new SdkError(
    'UNAVAILABLE',
    'no aggregator of the fleet can be reached now; members and invites are theirs to write',
  )
}
