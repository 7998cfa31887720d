import type { Key } from '#keys'
import { SdkError } from '#model'
import type { Directory } from '#node'
import type { Reader } from '#replication'
import {
  type Caller,
  type CallOptions,
  type Client,
  type CommandRequest,
  type Contract,
  client,
  commander,
  deviceWorker,
  fleetContract,
  type KnownService,
  librarian,
  type Methods,
  nodeContract,
  type ServiceRow,
  scanner,
} from '#rpc'
import type { Sight } from './sight.js'

/** A service that answers, and how to call it in the caller's own name: it decides itself what that caller may. */
export interface Reached<M extends Methods> {
  readonly service: string
  readonly site: string
  /** The key of its node; null: this process. */
  readonly node: Key | null
  /** Its own feed, as far as it is followed here. */
  readonly reader: Reader | undefined
  readonly client: Client<M>
}

/** Every service of the contract at a site that the caller may act at. */
export function reach<M extends Methods>(
  directory: Directory,
  contract: Contract<M>,
  caller: Caller,
  options: CallOptions = {},
): Reached<M>[] {
  return directory
    .find(contract)
    .filter(({ site }) => contract.fleetWide || !caller.sites || caller.sites.includes(site))
    .map(({ service, site, node, reader, transport }) => ({
      service,
      site,
      node,
      reader,
      client: client(contract, transport, { ...options, caller }),
    }))
}

/** The worker whose feed this is, whatever others are named. Throws UNAVAILABLE if it does not answer now. */
export function workerOf(directory: Directory, reader: Reader, caller: Caller, options?: CallOptions) {
  const worker = reach(directory, deviceWorker, caller, options).find((one) => one.reader === reader)
  if (worker) return worker.client
  throw new SdkError('UNAVAILABLE', `the worker ${reader.worker} of this device does not answer now`)
}

/** The worker by its name, or the only one there is. Throws BAD_REQUEST with the names to choose from. */
export function workerNamed(directory: Directory, name: string | undefined, caller: Caller, options?: CallOptions) {
  const workers = reach(directory, deviceWorker, caller, options)
  const fitting = name === undefined ? workers : workers.filter(({ service }) => service === name)
  if (fitting.length === 1) return fitting[0]!.client
  if (workers.length === 0) throw new SdkError('UNAVAILABLE', 'no device worker answers now')
  const names = workers.map(({ service }) => service).join(', ')
  const message = name === undefined ? `say which worker: ${names}` : `no worker is named ${name}; there are ${names}`
  throw new SdkError('BAD_REQUEST', message, { details: { problems: [{ path: '/worker', message }] } })
}

/** The scanner of the own site, else the first that answers. Throws UNAVAILABLE without one. */
export function scannerOf(directory: Directory, site: string, caller: Caller, options?: CallOptions) {
  const scanners = reach(directory, scanner, caller, options)
  const chosen = scanners.find((found) => found.site === site) ?? scanners[0]
  if (chosen) return chosen.client
  throw new SdkError('UNAVAILABLE', 'no scanner answers now')
}

/** The librarian of a site. Throws UNAVAILABLE without one. */
export function librarianOf(directory: Directory, site: string, caller: Caller, options?: CallOptions) {
  const found = reach(directory, librarian, caller, options).find((one) => one.site === site)
  if (found) return found.client
  throw new SdkError('UNAVAILABLE', `no librarian of the site ${site} answers now`)
}

export function commandersOf(directory: Directory, caller: Caller, options?: CallOptions) {
  const commanders = reach(directory, commander, caller, options)
  if (commanders.length > 0) return commanders
  throw new SdkError('UNAVAILABLE', 'no commander answers now')
}

/** The commander of the site where the targets stand. Throws BAD_REQUEST for targets at several sites. */
export function commanderFor(directory: Directory, sight: Sight, own: string, request: CommandRequest, caller: Caller) {
  const commanders = commandersOf(directory, caller)
  if (commanders.length === 1) return commanders[0]!.client
  const { targets } = request
  const records = 'ids' in targets ? targets.ids.flatMap((id) => sight.device(id) ?? []) : sight.match(targets.filter)
  const sites = [...new Set(records.map(({ site }) => site))]
  if (sites.length > 1) {
    const message = `the targets stand at ${sites.length} sites (${sites.slice(0, 5).join(', ')}); command one site at a time`
    throw new SdkError('BAD_REQUEST', message, { details: { problems: [{ path: '/targets', message }] } })
  }
  const chosen = commanders.find(({ site }) => site === (sites[0] ?? own))
  if (chosen) return chosen.client
  throw new SdkError('UNAVAILABLE', `no commander of the site ${sites[0] ?? own} answers now`)
}

/** Asks each in turn for the one that knows it. Throws NOT_FOUND only if all said that they do not. */
export async function firstThatKnows<M extends Methods, T>(
  found: readonly Reached<M>[],
  ask: (client: Client<M>) => Promise<T>,
  what: string,
): Promise<T> {
  let silent: unknown
  for (const { client } of found) {
    try {
      return await ask(client)
    } catch (error) {
      if (!(error instanceof SdkError) || error.code !== 'NOT_FOUND') silent ??= error
    }
  }
  throw silent ?? new SdkError('NOT_FOUND', what)
}

/** The nodes that answer; a node that does not is left out, for one of them must not hide the others. */
export async function fromAll<M extends Methods, T>(
  found: readonly Reached<M>[],
  ask: (client: Client<M>, site: string, node: Key | null) => Promise<T>,
): Promise<T[]> {
  const answers = await Promise.allSettled(found.map(({ client, site, node }) => ask(client, site, node)))
  const good = answers.filter((answer) => answer.status === 'fulfilled').map((answer) => answer.value)
  const failed = answers.find((answer) => answer.status === 'rejected')
  if (good.length === 0 && failed) throw failed.reason
  return good
}

export function nodesOf(directory: Directory, caller: Caller, options?: CallOptions) {
  return reach(directory, nodeContract, caller, options)
}

/** What every node has is missed with the rest of it. */
const ofEveryNode = new Set(['mesh', 'node'])
/** A node that is well answers at once; one that is not must not hold up who asks for all. */
const nodeMs = 3_000

/** Every service that the caller may see: as its node tells, or that it was announced and does not answer. */
export async function servicesOf(directory: Directory, caller: Caller): Promise<ServiceRow[]> {
  const own = reach(directory, fleetContract, caller)[0]?.client
  const [answers, announced] = await Promise.all([
    fromAll(nodesOf(directory, caller, { timeoutMs: nodeMs }), async (client, _, node) =>
      (await client.services({})).map((service) => ({ ...service, node })),
    ),
    own?.services({}, { timeoutMs: nodeMs }).catch(() => []) ?? [],
  ])
  const services = answers.flat()
  const here = new Set(services.map(({ site, name }) => `${site} ${name}`))
  const silent = announced.filter(
    ({ site, name, kind }) =>
      !ofEveryNode.has(kind) && !here.has(`${site} ${name}`) && (!caller.sites || caller.sites.includes(site)),
  )
  return [...services, ...silent.map(unreachable)]
}

function unreachable({ node, name, kind, site, version, announcedAt }: KnownService): ServiceRow {
  return {
    node,
    name,
    kind,
    site,
    state: 'unreachable',
    ready: false,
    reason: 'it was announced to the fleet, and its node does not answer now',
    since: announcedAt,
    restarts: 0,
    lastError: null,
    retryAt: null,
    heartbeatAt: null,
    pid: null,
    version: version ?? 'unknown',
    stats: {},
  }
}

/** What the node behind this gateway says of itself, in the gateway's own name. Undefined if it does not answer. */
export async function ownNode({ directory, site }: { directory: Directory; site: string }) {
  const own = nodesOf(directory, { id: 'gateway', scope: 'read', sites: [site] })
  const described = await fromAll(own, (node) => node.describe({}))
  return described.find(({ pid }) => pid === process.pid) ?? described[0]
}
