import { Type } from '#model'

/** Names of sites and services become folders and parts of ids. */
export const namePattern = '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$'

export const NameSchema = Type.String({
  pattern: namePattern,
  description: 'a name of letters, digits, - and _, at most 63',
})
