import { GrantSchema } from '#keys'
import { Type } from '#model'
import { defineIntent, fields, KeySchema, NameSchema } from '../intent.js'
import { admit, mayHost } from '../membership.js'
import { anyWriter } from '../rules.js'

/** A member comes in, or gets a newer grant. Who may make it was decided by who signed the grant. Its host is a machine that is there by itself. */
export const addMember = defineIntent({
  op: 'addMember',
  version: 1,
  schema: fields({ name: NameSchema, grant: GrantSchema, host: Type.Optional(KeySchema) }),
  may: anyWriter,
  audit: ({ grant }) => grant.subject,
  async apply(turn, { name, grant, host }) {
    if (host === undefined) return admit(turn, grant, { name })
    return (await mayHost(turn, host, grant.subject)) ?? admit(turn, grant, { name, host })
  },
})
