import { errorInfo, SdkError, Type } from '#model'
import { type Context, defineService, type Hosted, type Service, version } from '#node'
import {
  type Caller,
  librarian as contract,
  deviceWorker as deviceWorkerContract,
  type InstalledLibrary,
  nodeContract,
  serve,
} from '#rpc'
import { libraries } from '../libraries.js'
import type { Added, Shelf } from './shelf.js'
import { tryPackage } from './trial.js'

const ConfigSchema = Type.Object(
  {
    /** The device workers of the configuration: a library that has one needs no worker of its own. */
    workers: Type.Optional(Type.Array(Type.Object({ name: Type.String(), lib: Type.String() }))),
  },
  { additionalProperties: false },
)
interface Config {
  readonly workers?: readonly { name: string; lib: string }[]
}

const sdkName = 'miningsdk'
const pulseMs = 1000
const askMs = 3_000

/** Keeps the device libraries of a site, and runs a worker for each that was added and that the configuration has none for. */
export function librarian(shelf: Shelf, worker: Service): Service<typeof ConfigSchema> {
  return defineService({
    kind: 'librarian',
    config: ConfigSchema,
    after: ['device-worker'],
    async start(context: Context<Config>) {
      const { nodeStorage, directory, log, site } = context
      const configured = context.config.workers ?? []
      const hosted = new Map<string, Hosted>()
      let adding: Promise<unknown> = Promise.resolve()
      /** One change after the other. */
      const inTurn = <T>(job: () => Promise<T>): Promise<T> => {
        const next = adding.then(job)
        adding = next.catch(() => {})
        return next
      }

      const isFor = ({ library, name }: Pick<Added, 'library' | 'name'>, lib: string) => lib === library || lib === name
      const workersFor = (added: Pick<Added, 'library' | 'name'>) => configured.filter(({ lib }) => isFor(added, lib))

      const employ = async ({ library }: Added) => {
        hosted.set(library, await context.host({ name: library, service: worker, config: { lib: library } }))
      }

      /** The workers of this site with how many devices they read. */
      const staff = async () => {
        const found = directory.find(deviceWorkerContract).filter((one) => one.site === site)
        const answers = await Promise.allSettled(found.map(({ client }) => client.describe({}, { timeoutMs: askMs })))
        return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
      }

      const add = async (wanted: string): Promise<InstalledLibrary> => {
        const found = await shelf.locate(wanted)
        await tryPackage(found, shelf.sdkUrl)
        const added = await shelf.add(found, nodeStorage)
        try {
          if (workersFor(added).length === 0) await employ(added)
          else await wake(workersFor(added).map(({ name }) => name))
        } catch (error) {
          await shelf.remove(added.library, nodeStorage)
          throw error
        }
        log.info({ library: added.library, package: added.name, path: added.path }, 'a library was added')
        return rowOf(added, await staff())
      }

      /** Workers that wait for the library are not left to wait for their next try. */
      const wake = async (names: readonly string[]) => {
        for (const { client, site: theirs } of directory.find(nodeContract)) {
          if (theirs !== site) continue
          const services = await client.services({}, { timeoutMs: askMs }).catch(() => [])
          for (const { name, ready } of services)
            if (!ready && names.includes(name))
              await client.restart({ name }).catch((error: unknown) => log.warn({ err: error, name }, 'did not start'))
        }
      }

      const remove = async (name: string) => {
        if (shelf.builtIn.some(({ library }) => library === name))
          throw new SdkError('CONFLICT', `${name} is built in and cannot be removed`)
        const added = (await shelf.added(nodeStorage)).find((one) => isFor(one, name))
        if (!added) throw new SdkError('NOT_FOUND', `no library ${name} was added`)
        const { library } = added
        const inConfig = workersFor(added)
        if (inConfig.length > 0)
          throw new SdkError(
            'CONFLICT',
            `the configuration has the worker ${inConfig[0]!.name} for ${library}: take it out there first`,
          )
        const busy = (await staff()).find((one) => one.library.library === library && one.devices > 0)
        if (busy)
          throw new SdkError(
            'CONFLICT',
            `${busy.devices} devices of the worker ${busy.service} are read with ${library}: remove them first`,
          )
        await hosted.get(library)?.end()
        hosted.delete(library)
        await shelf.remove(library, nodeStorage)
        log.info({ library }, 'a library was removed')
        return { library }
      }

      for (const added of await shelf.added(nodeStorage)) {
        if (added.problem)
          log.error({ library: added.library, reason: added.problem.message }, 'a library is not loaded')
        else if (workersFor(added).length === 0) await employ(added)
      }
      context.provide(
        contract,
        serve(
          contract,
          {
            async list(_, { caller }) {
              const [added, workers] = await Promise.all([shelf.added(nodeStorage), staff()])
              const rows = [...builtInRows(shelf, workers), ...added.map((one) => rowOf(one, workers))]
              return rows.filter(({ library }) => !caller.libraries || caller.libraries.includes(library))
            },
            add({ package: wanted }, { caller }) {
              mayRunCode(caller)
              return inTurn(() => add(wanted))
            },
            remove({ name }, { caller }) {
              mayRunCode(caller)
              return inTurn(() => remove(name))
            },
          },
          { log },
        ),
      )
      context.stats(() => ({ added: hosted.size }))
      context.every(pulseMs, () => context.alive())
    },
  })
}

type Staff = readonly { service: string; library: { library: string }; devices: number }[]

/** Who is limited to some libraries or devices would get beyond that by code of his own. */
function mayRunCode({ id, libraries: some, devices }: Caller): void {
  if (some || devices) throw new SdkError('FORBIDDEN', `${id} is limited to some devices and may add no code`)
}

function builtInRows({ builtIn }: Shelf, workers: Staff): InstalledLibrary[] {
  return libraries(builtIn).map((row) => ({
    ...row,
    builtIn: true,
    package: sdkName,
    version,
    path: null,
    ...usesOf(row.library, workers),
    problem: null,
  }))
}

function rowOf(added: Added, workers: Staff): InstalledLibrary {
  const { library, name, version: own, path, problem, devices } = added
  const row = libraries(devices)[0] ?? {
    library,
    kind: 'unknown',
    make: 'unknown',
    families: [],
    models: [],
    commands: [],
  }
  return {
    ...row,
    builtIn: false,
    package: name,
    version: own ?? 'unknown',
    path,
    ...usesOf(library, workers),
    problem: problem && { code: problem.code, message: errorInfo(problem).message },
  }
}

function usesOf(library: string, workers: Staff): { workers: string[]; devices: number } {
  const uses = workers.filter((worker) => worker.library.library === library)
  return { workers: uses.map(({ service }) => service), devices: uses.reduce((sum, { devices }) => sum + devices, 0) }
}
