import { isAbsolute, join, resolve } from 'node:path'
import { type Identity, makeSecretFolder, openIdentity, type Vault } from '#keys'
import { check, SdkError, systemClock } from '#model'
import { type Caller, client, nodeContract, serve } from '#rpc'
import { watchStrays } from './attribution.js'
import { fillDefaults } from './defaults.js'
import { createRegistry } from './directory.js'
import { lockFolder } from './lock.js'
import { createLog } from './log.js'
import { meshName, meshService } from './mesh/index.js'
import { NameSchema } from './names.js'
import { createScope } from './scope.js'
import type { Context, Hosted, Node, NodeOptions, Placement, Scope, SupervisorLimits } from './service.js'
import { createSupervisor } from './supervisor.js'
import { createUnit, type Run } from './unit.js'
import { openVaults } from './vaults.js'
import { version } from './version.js'

export const defaultLimits: SupervisorLimits = {
  livenessMs: 60_000,
  backoffMs: 500,
  maxBackoffMs: 30_000,
  healthyMs: 60_000,
  failuresToFail: 5,
  failedRetryMs: 300_000,
  startMs: 60_000,
  endMs: 5_000,
  shutdownMs: 10_000,
}

/** For the answer to be on its way before the process that gave it ends. */
const answerMs = 200

/** Who acts through `Node.connect` without naming a caller: whoever runs this process. */
const operator: Caller = { id: 'local:operator', scope: 'admin' }

/**
 * Takes the storage folder and begins to start the services; see `ready()`. The process stays alive until the node is closed. Throws
 * CONFIG_INVALID for what the services cannot take, STORE_LOCKED if another process has the folder, SECRET_EXPOSED or SECRET_DAMAGED if the
 * node's identity in it cannot be used.
 */
export async function createNode(options: NodeOptions): Promise<Node> {
  const { site, clock = systemClock, random = Math.random, log = createLog(), demo = false, mode = 'single' } = options
  check(NameSchema, site, `the site name ${JSON.stringify(site)}`, 'CONFIG_INVALID')
  const limits = { ...defaultLimits, ...options.limits }
  const storage = isAbsolute(options.storage) ? options.storage : resolve(options.storage)
  const placements = options.services.map(checkPlacement)
  refuseReserved(placements)
  refuseTwins(placements)

  const unlock = await lockFolder(options.process === undefined ? storage : join(storage, options.process))
  const own = createScope({ clock, onError: (error) => log.error({ err: error }, 'the node broke') })
  own.defer(unlock)
  let identity: Identity
  try {
    identity = await openIdentity(storage)
    for (const { name } of placements) await makeSecretFolder(join(storage, name))
  } catch (error) {
    await own.end()
    throw error
  }
  const names = placements.map(({ name }) => name)
  const vaultOf = await openVaults(identity, storage, names)

  const registry = createRegistry({ site, clock })
  if (options.mesh) {
    const kindOf = (name: string) => placements.find((one) => one.name === name)?.service.kind ?? name
    placements.unshift({
      name: meshName,
      service: meshService(options.mesh, { identity, registry, kindOf }),
      config: {},
    })
  }
  const unitOf = (placement: Placement) => {
    const { name, service } = placement
    const serviceLog = log.child({ service: name })
    const start = async (run: Run) => service.start(contextOf(run, placement, await vaultOf(name)))
    return createUnit({ name, kind: service.kind, site, start, clock, random, log: serviceLog, limits })
  }
  const units = placements.map((placement) => ({ unit: unitOf(placement), after: placement.service.after ?? [] }))
  const supervisor = createSupervisor(units, clock)

  /** A service of a service: supervised like all others, and gone with the one that wanted it. */
  const host = async (scope: Scope, wanted: Placement): Promise<Hosted> => {
    const placement = checkPlacement(wanted)
    refuseReserved([placement])
    const unit = unitOf(placement)
    const stop = supervisor.add(unit)
    placements.push(placement)
    let ending: Promise<void> | undefined
    const end = () => {
      ending ??= stop(limits.endMs).then(() => void placements.splice(placements.indexOf(placement), 1))
      return ending
    }
    scope.defer(end)
    await makeSecretFolder(join(storage, placement.name))
    await unit.start()
    return { end }
  }

  const contextOf = (
    { scope, owner, alive, ready, stats }: Run,
    { name, config }: Placement,
    vault: Vault,
  ): Context => ({
    signal: scope.signal,
    use: scope.use,
    defer: scope.defer,
    every: scope.every,
    child: scope.child,
    name,
    site,
    config,
    storage: join(storage, name),
    nodeStorage: storage,
    vault,
    clock,
    log: log.child({ service: name }),
    directory: registry.as({ caller: { id: `local:${name}`, scope: 'admin' }, owner, signal: scope.signal }),
    demo,
    provide: (contract, endpoint) => registry.provide(contract, endpoint, owner, scope.signal),
    share: (reader) => registry.share(reader, scope.signal),
    host: (placement) => host(scope, placement),
    alive,
    ready,
    stats,
  })

  const startedAt = clock.now()
  const asNode = { name: 'node', fail: (error: unknown) => log.error({ err: error }, 'the node broke') }
  const describe = () => ({
    site,
    version,
    pid: process.pid,
    startedAt,
    mode,
    demo,
    memoryBytes: process.memoryUsage.rss(),
  })
  const restart = async ({ name, process: whole }: { name: string; process?: boolean }) => {
    const unit = supervisor.unit(name)
    if (!whole) await unit.restart()
    else if (options.leave) clock.after(answerMs, options.leave)
    else throw new SdkError('CONFLICT', 'nobody would start this process again: restart it by hand')
    return {}
  }
  const answers = serve(nodeContract, { services: () => supervisor.health(), describe, restart }, { log, clock })
  registry.provide(nodeContract, answers, asNode, own.signal)

  // Our timers keep no process alive; an open node does.
  const keepAlive = setInterval(() => {}, 2 ** 30)
  own.defer(() => clearInterval(keepAlive))

  let closing: Promise<{ late: string[] }> | undefined
  const close = () => {
    closing ??= shutDown()
    return closing
  }
  const shutDown = async () => {
    log.info({ site }, 'the node closes')
    const { late } = await supervisor.stop(limits.shutdownMs)
    const { errors } = await own.endWithin(limits.endMs)
    for (const error of errors) log.warn({ err: error }, 'something did not close well')
    return { late }
  }
  own.defer(watchStrays({ log, close }))

  const directory = registry.as({ caller: operator, owner: asNode, signal: own.signal })
  const started = supervisor.start()
  return {
    site,
    key: identity.key,
    directory,
    services: () => supervisor.health(),
    connect(contract, { service, caller } = {}) {
      const found = directory.find(contract).find((answer) => service === undefined || answer.service === service)
      if (!found)
        throw new SdkError(
          'UNAVAILABLE',
          `${service ?? 'nobody'} ${service ? 'does not answer' : 'answers'} ${contract.name} now`,
        )
      return caller ? client(contract, found.transport, { caller }) : found.client
    },
    resolve: registry.resolve,
    restart: async (name) => supervisor.unit(name).restart(),
    ready: () => started,
    close,
  }
}

function checkPlacement({ name, service, config }: Placement): Placement {
  check(NameSchema, name, `the service name ${JSON.stringify(name)}`, 'CONFIG_INVALID')
  const full = fillDefaults(service.config, config)
  return { name, service, config: check(service.config, full, `the configuration of ${name}`, 'CONFIG_INVALID') }
}

/** Names that the node itself answers under. */
function refuseReserved(placements: readonly Placement[]): void {
  const taken = placements.find(({ name }) => name === meshName || name === 'node')
  if (taken) throw new SdkError('CONFIG_INVALID', `a service cannot be named ${taken.name}: the node itself is`)
}

function refuseTwins(placements: readonly Placement[]): void {
  const names = placements.map(({ name }) => name)
  const twin = names.find((name, at) => names.indexOf(name) !== at)
  if (twin !== undefined) throw new SdkError('CONFIG_INVALID', `two services are named ${twin}`)
}
