import { join } from 'node:path'
import { type Device, SiteModelsSchema, withModels } from '#devices'
import { DeviceEntrySchema, OptionsSchema, SdkError, type Static, Type } from '#model'
import { type Context, defineService, type Service } from '#node'
import { type OpenStore, openStore } from '#replication'
import { deviceWorker as contract, serve } from '#rpc'
import { nearest } from '../libraries.js'
import { acceptsType } from './accepts.js'
import { defaultIntervalMs } from './config.js'
import { handlers } from './handlers.js'
import { KeepSchema, keepOf } from './keep.js'
import { openWorker, workerStats } from './open.js'
import { openRequests } from './requests.js'
import type { Worker } from './worker.js'

export const DeviceWorkerConfigSchema = Type.Object(
  {
    lib: Type.String({ minLength: 1, description: 'Device library, for example miner-whatsminer.' }),
    deviceType: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: 'Model or model family; absent: every model of the library.',
      }),
    ),
    models: Type.Optional({
      ...SiteModelsSchema,
      description: 'Hardware facts by model, for models that are not in the tables, or in the place of those that are.',
    }),
    devices: Type.Optional(
      Type.Array(DeviceEntrySchema, { description: 'More can be added at run time; they survive restarts.' }),
    ),
    options: Type.Optional(OptionsSchema),
    intervalMs: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 86_400_000,
        description: 'Poll interval; default as its library says, mostly 10 s.',
      }),
    ),
    keep: Type.Optional({
      ...KeepSchema,
      description: 'How much history is kept: a time, or a time and a size on the disk.',
    }),
    concurrency: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 4096, default: 128, description: 'Devices polled at once.' }),
    ),
  },
  { additionalProperties: false },
)
export type DeviceWorkerConfig = Static<typeof DeviceWorkerConfigSchema>

/** How often it shows that it is alive and says how it is. */
const pulseMs = 1000
/** So long after the last time the worker says that it ran out of sockets. */
const outOfSocketsMs = 30_000

/** The definitions of a library; `storage` is the node's folder, which knows of those that were added. Throws CONFIG_INVALID for an unknown one. */
export type FindLibrary = (lib: string, storage: string) => Promise<readonly Device[]>

/** Reads and commands the devices of one library; its feed is their history. */
export function deviceWorker(find: FindLibrary, open: OpenStore = openStore): Service<typeof DeviceWorkerConfigSchema> {
  return defineService({
    kind: 'device-worker',
    config: DeviceWorkerConfigSchema,
    async start(context: Context<DeviceWorkerConfig>) {
      const { name, site, config, storage, nodeStorage, vault, clock, log } = context
      const candidates = (await find(config.lib, nodeStorage)).map((device) => withModels(device, config.models))
      warnOfUnknownType(context, candidates)
      const intervalMs = config.intervalMs ?? defaultIntervalMs(candidates)
      const store = context.use(
        await open({
          path: join(storage, 'feed'),
          worker: name,
          site,
          intervalMs,
          keep: keepOf(config.keep),
          clock,
          log,
        }),
      )
      const say = () => context.ready(troubleOf(worker))
      const worker = context.use(
        await openWorker({
          site,
          name,
          folder: storage,
          vault,
          store,
          candidates,
          deviceType: config.deviceType,
          devices: config.devices ?? [],
          options: config.options,
          intervalMs,
          concurrency: config.concurrency ?? 128,
          simulated: context.demo,
          clock,
          log,
          onState: () => say(),
        }),
      )
      const requests = await openRequests(store, clock)
      context.share(store)
      context.stats(() => workerStats(worker))
      context.provide(contract, serve(contract, handlers(worker, requests), { log }))
      context.every(pulseMs, () => {
        context.alive()
        say()
        throwIfBroken(worker)
      })
    },
  })
}

function troubleOf(worker: Worker): string | null {
  if (worker.ticks.trouble) return `the store cannot be written: ${worker.ticks.trouble}`
  if (worker.store.trouble) return worker.store.trouble
  if (worker.clock.hr() - worker.counts.lastOutOfSocketsAt < outOfSocketsMs) {
    return 'there are not enough sockets for all devices: raise the limit of open files or lower `concurrency`'
  }
  return null
}

/** A store that refuses everything, as after a full disk, is closed and opened anew with the whole worker. */
export function throwIfBroken({ ticks }: Pick<Worker, 'ticks'>): void {
  if (!ticks.broken) return
  throw new SdkError('STORE_FAILED', `the store cannot be written again and again and is opened anew: ${ticks.trouble}`)
}

function warnOfUnknownType({ config, log }: Context<DeviceWorkerConfig>, candidates: readonly Device[]) {
  const { deviceType } = config
  const models = candidates.flatMap((device) => Object.keys(device.models))
  if (!deviceType || models.some((model) => acceptsType(deviceType, model))) return
  log.warn({ deviceType, nearest: nearest(deviceType, models) }, 'no known model is of this device type')
}
