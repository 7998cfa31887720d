import { GrantSchema } from '#keys'
import { SdkError, Type } from '#model'
import {
  type Caller,
  type Client,
  FleetInfoSchema,
  fleetContract,
  GuestSchema,
  InviteRequestSchema,
  InviteSchema,
  IssuedInviteSchema,
  MemberSchema,
  OwnerWordSchema,
  PeerSchema,
  ReachSchema,
  RefusedSchema,
  registrar,
} from '#rpc'
import type { Gateway } from '../gateway.js'
import { firstThatKnows, fromAll, reach } from '../reach.js'
import { route } from '../route.js'
import { IdParams, listOf, nullable, strict } from './shapes.js'

/** Nodes that are asked at once, and how long each may take: one that is away holds up nobody. */
const maxNodes = 200
const nodeMs = 3_000
const RefusedRowSchema = Type.Object({
  ...RefusedSchema.properties,
  source: Type.Enum(['connection', 'record'], {
    description:
      '`connection`: somebody was turned away by a node. `record`: something came to the record of the fleet that counts for nothing, a row a reason, `count` in all',
  }),
  /** Of the record that of the last one, as it says itself; null: it cannot be read. */
  at: nullable(Type.Number()),
  /** The name of the node that refused, null: all of them; and of who was refused if it is a member. */
  node: nullable(Type.String()),
  name: nullable(Type.String()),
  /** Of the record: the reason in words, what was wanted, and the log that it came in. */
  why: Type.Optional(Type.String()),
  op: Type.Optional(nullable(Type.String())),
  log: Type.Optional(Type.String()),
})
type Registrar = Client<(typeof registrar)['methods']>

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
    path: '/api/v1/mesh/refused',
    group: 'mesh',
    scope: 'admin',
    summary:
      'Who was turned away by which node of the fleet, and what its record did not take, and why; newest first, of the nodes that answer',
    query: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })) }, strict),
    reply: listOf(RefusedRowSchema),
    async handle(gateway, { caller, query: { limit = 100 } }) {
      const own = needFleet(gateway, caller)
      const members = new Map((await own.members({})).map((member) => [member.key, member]))
      const nodes = reach(gateway.directory, fleetContract, caller, { timeoutMs: nodeMs }).slice(0, maxNodes)
      const rows = await fromAll(nodes, async (node) => {
        const [{ key }, refused] = await Promise.all([node.describe({}), node.refused({ limit })])
        const of = members.get(key)?.name ?? key
        return refused.map((row) => ({ ...row, source: 'connection' as const, node: of }))
      })
      const notTaken = (await own.notTaken({})).map((row) => ({ ...row, source: 'record' as const, node: null }))
      return {
        data: [...rows.flat(), ...notTaken]
          .sort((a, b) => (b.at ?? 0) - (a.at ?? 0))
          .slice(0, limit)
          .map((row) => ({ ...row, name: (row.key && members.get(row.key)?.name) ?? null })),
      }
    },
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
    method: 'POST',
    path: '/api/v1/members/{key}/revoke',
    group: 'mesh',
    scope: 'admin',
    summary: 'The same as the word of the owner of the fleet, who signed it',
    params: KeyParams,
    body: Type.Object({ reason: Type.Optional(Type.String({ maxLength: 500 })), owner: OwnerWordSchema }, strict),
    audit: { targets: ({ params }) => [params.key] },
    async handle(gateway, { caller, params: { key }, body: { reason = '', owner } }) {
      await needRegistrar(gateway, caller).revokeMember({ key, reason, owner })
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
    method: 'POST',
    path: '/api/v1/invites/{id}/confirm',
    group: 'mesh',
    scope: 'admin',
    summary: 'Makes an invitation good that was made with `byOwner`: the owner of the fleet signed it',
    params: IdParams,
    body: Type.Object({ owner: OwnerWordSchema }, strict),
    async handle(gateway, { caller, params: { id }, body: { owner } }) {
      await atDoor(gateway, caller, id, (registrar) => registrar.confirmInvite({ id, owner }))
      return undefined
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/invites/{id}/guest',
    group: 'mesh',
    scope: 'admin',
    summary: 'Who came with an invitation and waits for a grant of the owner; null: nobody now',
    params: IdParams,
    reply: Type.Object({ guest: nullable(GuestSchema) }),
    async handle(gateway, { caller, params: { id } }) {
      const doors = await fromAll(reach(gateway.directory, registrar, caller), (door) => door.guest({ id }))
      return { guest: doors.find((guest) => guest !== null) ?? null }
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/invites/{id}/grant',
    group: 'mesh',
    scope: 'admin',
    summary: 'Lets the guest in who waits with an invitation, by a grant that the owner of the fleet signed',
    params: IdParams,
    body: Type.Object({ grant: GrantSchema }, strict),
    async handle(gateway, { caller, params: { id }, body: { grant } }) {
      await atDoor(gateway, caller, id, (registrar) => registrar.letIn({ id, grant }))
      return undefined
    },
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
export function ownFleet({ directory }: Gateway, caller: Caller) {
  return reach(directory, fleetContract, caller)[0]?.client
}

function needFleet(gateway: Gateway, caller: Caller) {
  const own = ownFleet(gateway, caller)
  if (own) return own
  throw new SdkError('NOT_FOUND', 'this site belongs to no fleet; make one with `miningsdk fleet create`')
}

/** Asks the one that made the invite. */
function atDoor<T>(gateway: Gateway, caller: Caller, id: string, ask: (registrar: Registrar) => Promise<T>) {
  return firstThatKnows(reach(gateway.directory, registrar, caller), ask, `no aggregator knows of the invite ${id} now`)
}

/** The aggregator that is nearest. Throws NOT_FOUND without a fleet, UNAVAILABLE without one. */
export function needRegistrar(gateway: Gateway, caller: Caller) {
  needFleet(gateway, caller)
  const [first] = reach(gateway.directory, registrar, caller)
  if (first) return first.client
  throw new SdkError(
    'UNAVAILABLE',
    'no aggregator of the fleet can be reached now; members and invites are theirs to write',
  )
}
