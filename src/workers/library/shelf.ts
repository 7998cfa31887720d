import { join } from 'node:path'
import type { Device } from '#devices'
import { type ErrorInfo, errorInfo, SdkError, Type } from '#model'
import { type JsonFile, jsonFile } from '#node'
import { type Library, libraries, nearest } from '../libraries.js'
import type { Loaded, Package } from './package.js'
import { tryPackage } from './trial.js'

/** What the storage folder remembers, for all processes that share it. */
const shelfFile = 'libraries.json'
const mostAdded = 200
const KeptSchema = Type.Object(
  {
    packages: Type.Array(
      Type.Object(
        { name: Type.String(), library: Type.String(), path: Type.String() },
        { additionalProperties: false },
      ),
      { maxItems: mostAdded },
    ),
  },
  { additionalProperties: false },
)

/** A library that was added: its definitions, or why they could not be loaded. */
export interface Added {
  readonly name: string
  readonly library: string
  readonly path: string
  readonly version: string | null
  readonly devices: readonly Device[]
  readonly problem: ErrorInfo | null
}

export interface ShelfOptions {
  readonly builtIn: readonly Device[]
  /** The public face of the SDK, which libraries import as `miningsdk`. */
  readonly sdkUrl: string
  /** Where a package is looked for by its name. */
  readonly folders: readonly string[]
}

/** The device libraries of this process: those that are built in, and those of the storage folder or the configuration, once they are asked for. */
export interface Shelf {
  readonly builtIn: readonly Device[]
  /** Every definition that is loaded now. */
  readonly devices: readonly Device[]
  /** Those that are added, loaded as far as they can be. A broken one is listed with its problem. */
  added(storage: string): Promise<readonly Added[]>
  /** The definitions of a library, by its name or by that of its package; CONFIG_INVALID with the nearest names if there is none. */
  find(lib: string, storage: string): Promise<readonly Device[]>
  /** A package that is not run yet. Throws NOT_FOUND, BAD_REQUEST, LIBRARY_INVALID. */
  locate(wanted: string): Promise<Package>
  /** Loads a package and remembers it. Throws LIBRARY_INVALID, CONFLICT, STORE_FAILED; then nothing has changed. */
  add(found: Package, storage: string): Promise<Added>
  remove(library: string, storage: string): Promise<void>
  /** Tries a package in a process of its own, then loads it here, adding it to nothing. Throws NOT_FOUND, LIBRARY_INVALID, CONFLICT. */
  inspect(wanted: string): Promise<Library & { name: string; version: string }>
  /** The public face of the SDK, which libraries import. */
  readonly sdkUrl: string
}

/** Imports nothing until somebody asks for what is not built in. */
export function createShelf({ builtIn, sdkUrl, folders }: ShelfOptions): Shelf {
  const loaded = new Map<string, Loaded>()
  const builtInNames = new Set(builtIn.map(({ library }) => library))

  const load = async (found: Package): Promise<Loaded> => {
    const known = loaded.get(found.path)
    if (known) return known
    const { loadPackage } = await packages()
    const fresh = await loadPackage(found, sdkUrl)
    const twin = [...loaded.values()].find(({ library, name }) => library === fresh.library || name === fresh.name)
    if (builtInNames.has(fresh.library) || twin)
      throw new SdkError(
        'CONFLICT',
        `${found.name} brings the library ${fresh.library}, which ${twin ? `${twin.name} in ${twin.path} brings already` : 'is built in'}: give it another name`,
      )
    loaded.set(found.path, fresh)
    return fresh
  }

  const locate: Shelf['locate'] = async (wanted) => (await packages()).findPackage(wanted, folders)

  const added: Shelf['added'] = async (storage) =>
    Promise.all(
      (await kept(storage)).map(async ({ name, library, path }) => {
        try {
          return addedOf(await load(await locate(path)))
        } catch (error) {
          return { name, library, path, version: null, devices: [], problem: errorInfo(error) }
        }
      }),
    )

  return {
    builtIn,
    sdkUrl,
    get devices() {
      return loaded.size === 0 ? builtIn : [...builtIn, ...[...loaded.values()].flatMap(({ devices }) => devices)]
    },
    added,
    async find(lib, storage) {
      const own = builtIn.filter(({ library }) => library === lib)
      if (own.length > 0) return own
      const all = await added(storage)
      const one = all.find(({ library, name }) => library === lib || name === lib)
      if (one?.problem) throw new SdkError(one.problem.code, one.problem.message)
      if (one) return one.devices
      const installed = await packageOf(lib)
      if (installed) return (await load(installed)).devices
      throw unknown(lib, [...builtInNames, ...all.map(({ library }) => library)])
    },
    locate,
    async inspect(wanted) {
      const found = await locate(wanted)
      await tryPackage(found, sdkUrl)
      const { name, version, devices } = await load(found)
      return { ...libraries(devices)[0]!, name, version }
    },
    async add(found, storage) {
      const before = await kept(storage)
      if (before.some(({ path, name }) => path === found.path || name === found.name))
        throw new SdkError('CONFLICT', `${found.name} is added already; to change it, remove it first`)
      if (before.length >= mostAdded)
        throw new SdkError('TOO_LARGE', `a site holds at most ${mostAdded} added libraries`)
      const wasLoaded = loaded.has(found.path)
      const fresh = await load(found)
      try {
        const { name, library, path } = fresh
        await fileOf(storage).save({ packages: [...before, { name, library, path }] })
      } catch (error) {
        if (!wasLoaded) loaded.delete(found.path)
        throw error
      }
      return addedOf(fresh)
    },
    async remove(library, storage) {
      const before = await kept(storage)
      await fileOf(storage).save({ packages: before.filter((one) => one.library !== library) })
      for (const [path, one] of loaded) if (one.library === library) loaded.delete(path)
    },
  }

  /** The package of that name, for a configuration that names one as `lib`; undefined: there is none. */
  async function packageOf(lib: string): Promise<Package | undefined> {
    try {
      return await locate(lib)
    } catch (error) {
      if (error instanceof SdkError && error.code === 'LIBRARY_INVALID') throw error
      return undefined
    }
  }
}

/** Loaded only where a site has libraries of its own. */
const packages = () => import('./package.js')

function addedOf({ name, library, path, version, devices }: Loaded): Added {
  return { name, library, path, version, devices, problem: null }
}

function fileOf(storage: string): JsonFile<{ packages: { name: string; library: string; path: string }[] }> {
  return jsonFile(join(storage, shelfFile), KeptSchema)
}

async function kept(storage: string) {
  return (await fileOf(storage).load())?.packages ?? []
}

function unknown(lib: string, names: readonly string[]): SdkError {
  const near = nearest(lib, names)
  return new SdkError(
    'CONFIG_INVALID',
    `there is no device library ${lib}; did you mean ${near.join(' or ')}? (miningsdk library add <package> adds one)`,
    { details: { problems: [{ path: '/lib', message: `must be one of ${names.join(', ')}` }] } },
  )
}
