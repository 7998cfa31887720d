import { GrantSchema } from '#keys'
import { EventSchema, LocationSchema, type Static, Type } from '#model'
import { action, contract, query } from '../contract.js'

const key = Type.String({ pattern: '^[0-9a-f]{64}$' })
const nullable = <T extends import('#model').TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const name = Type.String({ minLength: 1, maxLength: 64 })

export const memberRoles = ['owner', 'admin', 'operator', 'worker', 'aggregator', 'gateway', 'monitor'] as const
export const MemberRoleSchema = Type.Enum(memberRoles)

/** A peer of the fleet and what it may do. */
export const MemberSchema = Type.Object({
  key,
  fingerprint: Type.String(),
  name: Type.String(),
  role: MemberRoleSchema,
  scope: Type.String(),
  /** null: all. */
  sites: nullable(Type.Array(Type.String())),
  /** What it may ask and command; absent: not limited. */
  libraries: Type.Optional(Type.Array(Type.String())),
  devices: Type.Optional(Type.Array(Type.String())),
  /** ms; null: until it is revoked. */
  until: nullable(Type.Number()),
  addedAt: Type.Number(),
  revoked: Type.Boolean(),
  /** Whether the asked node is connected with it now; of itself true. */
  connected: Type.Boolean(),
})
export type Member = Static<typeof MemberSchema>

/** A connection to another member. */
export const PeerSchema = Type.Object({
  key,
  fingerprint: Type.String(),
  name: nullable(Type.String()),
  role: nullable(Type.String()),
  /** Whether another member passes the bytes on because no direct way was found. */
  relayed: Type.Boolean(),
  rttMs: nullable(Type.Number()),
  since: Type.Number(),
  address: nullable(Type.String()),
})
export type Peer = Static<typeof PeerSchema>

export const InviteSchema = Type.Object({
  id: Type.String(),
  role: MemberRoleSchema,
  sites: nullable(Type.Array(Type.String())),
  state: Type.Enum(['open', 'used', 'revoked', 'expired']),
  createdAt: Type.Number(),
  expiresAt: Type.Number(),
  /** The name of who came in with it. */
  usedBy: nullable(Type.String()),
})
export type Invite = Static<typeof InviteSchema>

/** As grants have it. */
function limit(pattern: string) {
  return Type.Optional(Type.Array(Type.String({ pattern }), { minItems: 1, maxItems: 100, uniqueItems: true }))
}

export const InviteRequestSchema = Type.Object(
  {
    role: Type.Enum(memberRoles.filter((role) => role !== 'owner')),
    sites: Type.Optional(Type.Array(name, { minItems: 1, maxItems: 100 })),
    /** Of an operator or a gateway that holds less than `admin`: it asks and commands devices of these libraries, these devices, alone. */
    libraries: limit('^[A-Za-z0-9@/._-]{1,100}$'),
    devices: limit('^[A-Za-z0-9._~-]{1,200}$'),
    /** Less than the role would have. */
    scope: Type.Optional(Type.Enum(['read', 'control', 'admin'])),
    /** How long the code can be used, ms; default 1 h. */
    expiresInMs: Type.Optional(Type.Integer({ minimum: 1_000, maximum: 30 * 86_400_000 })),
    /** How long the membership lasts, ms; default without end. */
    grantForMs: Type.Optional(Type.Integer({ minimum: 60_000 })),
    /** The owner of the fleet signs it: see `confirmInvite`, `guest` and `letIn`. */
    byOwner: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)
export type InviteRequest = Static<typeof InviteRequestSchema>

export const IssuedInviteSchema = Type.Object({
  id: Type.String(),
  /** Shown once; good for one machine. */
  code: Type.String(),
  expiresAt: Type.Number(),
})
export type IssuedInvite = Static<typeof IssuedInviteSchema>

/** That the owner of the fleet wants it: its signature of the intent that is written, with the time it was meant for, ms. */
export const OwnerWordSchema = Type.Object(
  { at: Type.Integer({ minimum: 0 }), by: key, signature: Type.String({ pattern: '^[0-9a-f]{128}$' }) },
  { additionalProperties: false },
)

/** Who stands at the door of an invite and waits for a grant of the owner. */
export const GuestSchema = Type.Object({ key, name: Type.String() })
export type Guest = Static<typeof GuestSchema>

export const FleetInfoSchema = Type.Object({
  name: Type.String(),
  /** The public key of the owner: the fleet's identity. */
  fleet: key,
  /** The asked node. */
  key,
  role: MemberRoleSchema,
  epoch: Type.Integer(),
  /** The asked node's clock, ms. */
  now: Type.Number(),
  members: Type.Integer(),
  services: Type.Integer(),
  /** When the copy of the record was last known to be current, ms. */
  currentAt: nullable(Type.Number()),
  /** Refused connections and calls, by reason, since the node started. */
  refusals: Type.Record(Type.String(), Type.Integer()),
})
export type FleetInfo = Static<typeof FleetInfoSchema>

/** A service as its node announced it. */
export const KnownServiceSchema = Type.Object({
  node: key,
  name: Type.String(),
  kind: Type.String(),
  site: Type.String(),
  version: nullable(Type.String()),
  announcedAt: Type.Number(),
  /** Whether the asked node is connected with its node now. */
  connected: Type.Boolean(),
})
export type KnownService = Static<typeof KnownServiceSchema>

export const ReachSchema = Type.Object({
  key,
  reachable: Type.Boolean(),
  /** In words: what stands between. */
  why: Type.Array(Type.String()),
})

export type Reachability = Static<typeof ReachSchema>

/** Somebody who was turned away by a node. */
export const RefusedSchema = Type.Object({
  at: Type.Number(),
  reason: Type.String(),
  /** Whose connection it was; null: one of too many to tell apart. */
  key: nullable(key),
  /** So often since the last line of it. */
  count: Type.Integer(),
})
export type Refused = Static<typeof RefusedSchema>

/** What came to the record and counts for nothing, of one reason; of what a member's log said. */
export const NotTakenSchema = Type.Object({
  reason: Type.String(),
  /** The reason in words. */
  why: Type.String(),
  /** In all. */
  count: Type.Integer(),
  /** The last of it: when it says it was made, and what it wanted; null: it could not be read. */
  at: nullable(Type.Number()),
  op: nullable(Type.String()),
  /** The log that it came in, and the member whose log it is; null: of nobody who is known now. */
  log: Type.String(),
  key: nullable(key),
})
export type NotTaken = Static<typeof NotTakenSchema>

/** Who changed what in the record. */
export const RecordAuditSchema = Type.Object({
  at: Type.Number(),
  op: Type.String(),
  /** null: nobody, by a signature of its own. */
  by: nullable(key),
  about: Type.String(),
})
export type RecordAudit = Static<typeof RecordAuditSchema>

const newestFirst = Type.Object({
  from: Type.Optional(Type.Number()),
  to: Type.Optional(Type.Number()),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
})

/** What every member answers of the fleet from its own copy of the record. */
export const fleetContract = contract(
  'fleet',
  {
    describe: query({ needs: 'member', input: Type.Object({}), output: FleetInfoSchema }),
    members: query({ input: Type.Object({}), output: Type.Array(MemberSchema) }),
    peers: query({ input: Type.Object({}), output: Type.Array(PeerSchema) }),
    /** Every service of the fleet that is announced, whether it can be reached or not. */
    services: query({ input: Type.Object({}), output: Type.Array(KnownServiceSchema) }),
    invites: query({ needs: 'admin', input: Type.Object({}), output: Type.Array(InviteSchema) }),
    /** Who was turned away by the asked node, and why; newest first. */
    refused: query({
      needs: 'admin',
      input: newestFirst,
      output: Type.Array(RefusedSchema),
    }),
    /** What the record did not take: forged, replayed, not allowed. The same with every member. */
    notTaken: query({ needs: 'admin', input: Type.Object({}), output: Type.Array(NotTakenSchema) }),
    /** Who changed what in the record; newest first. */
    recordAudit: query({ needs: 'admin', input: newestFirst, output: Type.Array(RecordAuditSchema) }),
    /** Tries to reach a member now and says what it saw. */
    diagnose: query({ input: Type.Object({ key: Type.Optional(key) }), output: ReachSchema }),
  },
  { fleetWide: true },
)

export const AnnouncedServiceSchema = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 64 }),
  kind: Type.String({ minLength: 1, maxLength: 64 }),
  site: Type.String({ minLength: 1, maxLength: 64 }),
  contracts: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 32 }),
  /** Where its feed is found and how often it polls, ms; null: it has none. */
  feed: nullable(Type.Object({ main: key, intervalMs: Type.Number() })),
  /** The key of the relay that it is for members who find no direct way; null: it is none. */
  relay: nullable(key),
})
export type AnnouncedService = Static<typeof AnnouncedServiceSchema>

/** A log that writes the record or signs it. */
export const RecordLogSchema = Type.Object({
  log: key,
  /** Whose it is; null: of nobody who is a member any more. */
  member: nullable(key),
  name: nullable(Type.String()),
  /** Its signature settles what cannot be reordered any more, with those of the others that sign. */
  signs: Type.Boolean(),
  /** Whether the asked node is, or is connected with, its member. */
  connected: Type.Boolean(),
})
export type RecordLog = Static<typeof RecordLogSchema>

export const RecordStateSchema = Type.Object({
  /** The key of the record, and that of the fleet's owner: who signs an intent as the owner has to know them. */
  record: key,
  fleet: key,
  /** Up to where it is signed: for `recover`. */
  system: key,
  length: Type.Integer(),
  logs: Type.Array(RecordLogSchema),
})
export type RecordState = Static<typeof RecordStateSchema>

/** One log signs, or three. */
export const IndexersSchema = Type.Union([
  Type.Array(key, { minItems: 1, maxItems: 1 }),
  Type.Array(key, { minItems: 3, maxItems: 3, uniqueItems: true }),
])

/** The next topic, as the owner chose and signed it. */
export const TopicWordSchema = Type.Object(
  { epoch: Type.Integer({ minimum: 1 }), salt: key, owner: OwnerWordSchema },
  { additionalProperties: false },
)

const DevicePlaceSchema = Type.Object({
  id: Type.String({ maxLength: 200 }),
  name: Type.Optional(Type.String({ maxLength: 128 })),
  model: Type.Optional(Type.String({ maxLength: 128 })),
  location: Type.Optional(LocationSchema),
})

/** An event of a worker's feed that all should know of. */
export const FoldedEventSchema = Type.Object({
  site: Type.String({ maxLength: 64 }),
  worker: Type.String({ maxLength: 64 }),
  event: EventSchema,
})
export type FoldedEvent = Static<typeof FoldedEventSchema>

/** What those answer that write the fleet's record. */
export const registrar = contract(
  'registrar',
  {
    /** What the calling node answers and shares now; replaces what it said before. */
    announce: action({
      needs: 'member',
      input: Type.Object({
        version: Type.String({ maxLength: 64 }),
        services: Type.Array(AnnouncedServiceSchema, { maxItems: 1000 }),
      }),
      output: Type.Object({}),
    }),
    /** Lets another process of the calling node's machine in; `proof` shows that the caller has its key. */
    enrol: action({
      needs: 'member',
      input: Type.Object({ name, role: MemberRoleSchema, key, proof: Type.String({ pattern: '^[0-9a-f]{128}$' }) }),
      output: Type.Object({ grant: GrantSchema }),
    }),
    /** With `byOwner` it is good for nothing until it is confirmed, and its guest waits for who holds the owner's key. */
    invite: action({ needs: 'admin', input: InviteRequestSchema, output: IssuedInviteSchema }),
    confirmInvite: action({
      needs: 'admin',
      input: Type.Object({ id: Type.String(), owner: OwnerWordSchema }),
      output: Type.Object({}),
    }),
    /** Who waits at its door now; null: nobody. */
    guest: query({ needs: 'admin', input: Type.Object({ id: Type.String() }), output: nullable(GuestSchema) }),
    /** Lets the guest in who waits, by a grant that the owner signed. */
    letIn: action({
      needs: 'admin',
      input: Type.Object({ id: Type.String(), grant: GrantSchema }),
      output: Type.Object({}),
    }),
    revokeInvite: action({ needs: 'admin', input: Type.Object({ id: Type.String() }), output: Type.Object({}) }),
    /** Its open connections end as soon as its peers know. */
    revokeMember: action({
      needs: 'admin',
      input: Type.Object({ key, reason: Type.String({ maxLength: 500 }), owner: Type.Optional(OwnerWordSchema) }),
      output: Type.Object({}),
    }),
    /** The totals of a site, by name; null: unknown. */
    putSite: action({
      needs: 'admin',
      input: Type.Object({
        site: Type.String({ maxLength: 64 }),
        totals: Type.Record(Type.String({ maxLength: 64 }), nullable(Type.Number())),
      }),
      output: Type.Object({}),
    }),
    /** Which devices a worker has, and where they stand. */
    putDevices: action({
      needs: 'admin',
      input: Type.Object({
        site: Type.String({ maxLength: 64 }),
        worker: Type.String({ maxLength: 64 }),
        devices: Type.Array(DevicePlaceSchema, { maxItems: 200_000 }),
      }),
      output: Type.Object({}),
    }),
    /** Something that all should know. */
    putEvent: action({ needs: 'admin', input: FoldedEventSchema, output: Type.Object({}) }),
    /** What was put there of the caller's sites, of the newest 500; newest first. `more`: there are older ones. */
    foldedEvents: query({
      needs: 'admin',
      input: Type.Object({}),
      output: Type.Object({ events: Type.Array(FoldedEventSchema), more: Type.Boolean() }),
    }),
    /** Who writes the record and who signs it. */
    record: query({ needs: 'admin', input: Type.Object({}), output: RecordStateSchema }),
    /** Who signs the record; CONFLICT without `force` if not enough of them can be reached. */
    setIndexers: action({
      needs: 'admin',
      input: Type.Object({
        logs: IndexersSchema,
        force: Type.Optional(Type.Boolean()),
        owner: Type.Optional(OwnerWordSchema),
      }),
      output: Type.Object({}),
    }),
    /** A log writes no more. */
    removeWriter: action({
      needs: 'admin',
      input: Type.Object({ log: key, owner: Type.Optional(OwnerWordSchema) }),
      output: Type.Object({}),
    }),
    /** Those who signed are lost for good: these do from now on. */
    recover: action({
      needs: 'admin',
      input: Type.Object({
        logs: IndexersSchema,
        system: key,
        length: Type.Integer({ minimum: 1 }),
        owner: OwnerWordSchema,
      }),
      output: Type.Object({}),
    }),
    /** From now on the members meet at another place. */
    rotateTopic: action({
      needs: 'admin',
      input: Type.Object({ said: Type.Optional(TopicWordSchema) }),
      output: Type.Object({ epoch: Type.Integer() }),
    }),
  },
  { fleetWide: true },
)
