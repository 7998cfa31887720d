import { Type } from '#model'

/** Names of sites and services become folders and parts of ids. */
export const namePattern = '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$'
export const hostPortPattern = '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):[0-9]{1,5}$'

/** What a person calls what matches. */
export const patternsInWords: Readonly<Record<string, string>> = {
  [namePattern]: 'a name of letters, digits, - and _, at most 63',
  [hostPortPattern]: 'a host:port',
}

export const NameSchema = Type.String({ pattern: namePattern })
