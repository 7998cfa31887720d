import { Type } from '#model'
import { defineIntent, fields, KeySchema, NameSchema, SiteSchema } from '../intent.js'
import { atSite } from '../rules.js'
import { putService } from '../services.js'

/** A member runs a service: what it answers, where it is, and which feed has its history. Written by who keeps the record for it. */
export const announceService = defineIntent({
  op: 'announceService',
  version: 1,
  schema: fields({
    member: KeySchema,
    name: NameSchema,
    kind: NameSchema,
    site: Type.Optional(SiteSchema),
    contracts: Type.Array(NameSchema, { maxItems: 32 }),
    feed: Type.Optional(KeySchema),
    /** How often the feed grows, ms: what is older than a few times this is stale. */
    intervalMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400_000 })),
    /** The key of the relay that it is for members who find no direct way. */
    relay: Type.Optional(KeySchema),
    version: Type.Optional(NameSchema),
  }),
  may: (author, { site }) => atSite(site)(author),
  apply: (turn, service) => putService(turn, { ...service, at: turn.at }),
})
