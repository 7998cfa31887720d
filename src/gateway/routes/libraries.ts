import { Type } from '#model'
import { AddLibrarySchema, InstalledLibrarySchema } from '#rpc'
import { librarianOf } from '../reach.js'
import { route } from '../route.js'
import { listOf, strict } from './shapes.js'

/** A package is tried in a process of its own before it is loaded. */
const addMs = 60_000
const site = Type.Optional(
  Type.String({ minLength: 1, maxLength: 64, description: 'default: the site of this gateway' }),
)

export const libraryRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/libraries',
    group: 'libraries',
    scope: 'read',
    summary:
      'The device libraries of a site: models, commands, versions, which workers read how many devices with them',
    query: Type.Object({ site }, strict),
    reply: listOf(InstalledLibrarySchema),
    handle: async ({ directory, site: own }, { caller, query }) => ({
      data: await librarianOf(directory, query.site ?? own, caller).list({}),
    }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/libraries',
    group: 'libraries',
    scope: 'admin',
    summary: 'Adds a device library, which is code that runs with the rights of the node; nothing is downloaded',
    body: Type.Object({ ...AddLibrarySchema.properties, site }, strict),
    reply: InstalledLibrarySchema,
    status: 201,
    audit: { result: ({ library }) => library },
    handle: ({ directory, site: own }, { caller, body }) =>
      librarianOf(directory, body.site ?? own, caller, { timeoutMs: addMs }).add({ package: body.package }),
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/libraries/{name}',
    group: 'libraries',
    scope: 'admin',
    summary: 'Removes a library that was added and that no device needs; `name` is its own or that of its package',
    params: Type.Object({ name: Type.String({ minLength: 1, maxLength: 214 }) }, strict),
    query: Type.Object({ site }, strict),
    async handle({ directory, site: own }, { caller, params: { name }, query }) {
      await librarianOf(directory, query.site ?? own, caller, { timeoutMs: addMs }).remove({ name })
      return undefined
    },
  }),
]
