import { GrantSchema } from '#keys'
import { Type } from '#model'
import { defineIntent, fields, KeySchema, NameSchema } from '../intent.js'
import { admit } from '../membership.js'
import { anyWriter } from '../rules.js'

/** A member comes in, or gets a newer grant. Who may make it was decided by who signed the grant. */
export const addMember = defineIntent({
  op: 'addMember',
  version: 1,
  schema: fields({ name: NameSchema, grant: GrantSchema, host: Type.Optional(KeySchema) }),
  may: anyWriter,
  audit: ({ grant }) => grant.subject,
  apply: (turn, { name, grant, host }) => admit(turn, grant, { name, ...(host === undefined ? {} : { host }) }),
})
