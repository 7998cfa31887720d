import { type Static, Type } from '#model'
import { action, contract, query } from '../contract.js'
import { LibrarySchema } from './device-worker.js'

const name = Type.String({ minLength: 1, maxLength: 214 })

export const InstalledLibrarySchema = Type.Object({
  ...LibrarySchema.properties,
  /** Comes with this version of the SDK; all others were added. */
  builtIn: Type.Boolean(),
  /** The npm package that brings it. */
  package: Type.String(),
  version: Type.String(),
  /** The folder of the package; null for what is built in. */
  path: Type.Union([Type.String(), Type.Null()]),
  /** The workers of this site that read devices with it. */
  workers: Type.Array(Type.String()),
  devices: Type.Integer(),
  /** Why it could not be loaded at this start; null: it was. */
  problem: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }), Type.Null()]),
})
export type InstalledLibrary = Static<typeof InstalledLibrarySchema>

export const AddLibrarySchema = Type.Object(
  {
    /** The name of an installed npm package, or the absolute path of its folder on the machine of the node. */
    package: Type.String({ minLength: 1, maxLength: 4096 }),
  },
  { additionalProperties: false },
)

/**
 * Which device libraries a site has. A library is code that runs with the rights of the node: only an admin adds one, and nothing is
 * downloaded: the package is on the machine already.
 */
export const librarian = contract('librarian', {
  list: query({ input: Type.Object({}), output: Type.Array(InstalledLibrarySchema) }),
  /**
   * Tries the package in a process of its own, loads it, and starts a worker for it unless the configuration has one. LIBRARY_INVALID with the
   * reason if it cannot be used, NOT_FOUND if it is not there, CONFLICT if its names are taken; then all is as it was.
   */
  add: action({ needs: 'admin', input: AddLibrarySchema, output: InstalledLibrarySchema }),
  /** Forgets a library that was added, by its name or its package's. CONFLICT while it is built in, configured or has devices. */
  remove: action({
    needs: 'admin',
    input: Type.Object({ name }, { additionalProperties: false }),
    output: Type.Object({ library: Type.String() }),
  }),
})
