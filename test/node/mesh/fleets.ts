import { join } from 'node:path'
import type { Assertions } from 'brittle'
import { miners } from '#devices'
import { type Clock, silentLog, systemClock } from '#model'
import { createFleet, createNode, joinFleet, type MeshOptions, mainProcess, type Node, type Placement } from '#node'
import { fleetContract, type InviteRequest, registrar } from '#rpc'
import { workerServices } from '#workers'
import { until } from '../../support/fake-clock.js'
import { privateDht } from '../network/nets.js'

const host = '127.0.0.1'
const deviceWorker = workerServices(miners).find(({ kind }) => kind === 'device-worker')!

/** A worker without devices: it answers its contract, which is all that is asked of it here. */
export const worker = (name: string): Placement => ({
  name,
  service: deviceWorker,
  config: { lib: 'miner-whatsminer' },
})

interface Joining extends InviteRequest {
  readonly name: string
  readonly site?: string
  readonly services?: readonly Placement[]
  readonly mesh?: Partial<MeshOptions>
  readonly clock?: Clock
}

/** A fleet on a private DHT whose nodes all run in this process: its first aggregator, and a way to let others in. */
export async function openFleet(t: Assertions) {
  const bootstrap = await privateDht(t)
  const base = await t.tmp()
  const run = async (name: string, site: string, options: Partial<Joining>, mesh: Partial<MeshOptions> = {}) => {
    const node = await createNode({
      site,
      storage: join(base, name),
      services: options.services ?? [],
      log: silentLog,
      clock: options.clock ?? systemClock,
      mesh: { process: mainProcess, host, ...mesh },
    })
    t.teardown(() => node.close(), { order: 1 })
    await node.ready()
    return node
  }
  await createFleet({
    storage: join(base, 'head'),
    name: 'test',
    member: 'head',
    bootstrap,
    ownerFile: join(base, 'owner.key'),
    clock: systemClock,
    log: silentLog,
  })
  const head = await run('head', 'hq', {}, { aggregates: true })
  const invite = (request: InviteRequest) => head.connect(registrar).invite(request)
  return {
    head,
    invite,
    storageOf: (name: string) => join(base, name),
    /** Lets a new node in; resolves when the aggregator is connected with it and it knows itself as a member. */
    async join({ name, site = 'texas', services, mesh, clock, ...request }: Joining): Promise<Node> {
      const { code } = await invite(request)
      await joinFleet({ storage: join(base, name), code, name, host, clock: systemClock })
      const node = await run(name, site, { ...(services ? { services } : {}), ...(clock ? { clock } : {}) }, mesh)
      const isIn = async () => (await node.connect(fleetContract).members({})).some(({ key }) => key === node.key)
      await until(() => isIn().catch(() => false), `${name} is in`, 60_000)
      return node
    },
    revoke: (node: Node) => head.connect(registrar).revokeMember({ key: node.key, reason: 'test' }),
  }
}

/** Who was turned away by the node, by what its own book says. */
export async function refusedBy(node: Node) {
  return node.connect(fleetContract).refused({})
}

export async function isConnected(node: Node, other: Node): Promise<boolean> {
  return (await node.connect(fleetContract).peers({})).some(({ key }) => key === other.key)
}
