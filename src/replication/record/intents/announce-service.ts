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
    version: Type.Optional(NameSchema),
  }),
  may: (author, { site }) => atSite(site)(author),
  apply: (turn, service) => putService(turn, { ...service, at: turn.at }),
})
