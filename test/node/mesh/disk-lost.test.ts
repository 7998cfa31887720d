import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type Assertions } from 'brittle'
import { silentLog, Type } from '#model'
import { createNode, defineService, mainProcess, type Node, type Placement } from '#node'
import { fleetView, openStore, type Store } from '#replication'
import { intervalMs, record, start } from '../../replication/support.js'
import { until } from '../../support/fake-clock.js'
import { openFleet } from './fleets.js'

const host = '127.0.0.1'
const limits = { segmentMs: 1000, wholeRecordMs: 3000, foldSteps: 2, foldLeast: 1 }

/** A worker that stores what the test says; the newest run of it. */
function recorder(name: string) {
  const runs: { store: Store; path: string }[] = []
  const service = defineService({
    kind: 'device-worker',
    config: Type.Object({}),
    async start(context) {
      const path = join(context.storage, 'feed')
      const store = context.use(
        await openStore({ path, worker: name, site: context.site, intervalMs, clock: context.clock, limits }),
      )
      context.share(store)
      runs.push({ store, path })
    },
  })
  return {
    placement: { name, service, config: {} } satisfies Placement,
    get now() {
      return runs.at(-1)!
    },
    async ticks(from: number, count: number): Promise<void> {
      for (let tick = from; tick < from + count; tick++) {
        const at = start + tick * 100
        const one = record('a', at, { powerW: tick }, { site: 'texas', worker: name })
        await this.now.store.append({ at, records: [one] })
      }
    },
  }
}

async function run(t: Assertions, storage: string, site: string, services: readonly Placement[]): Promise<Node> {
  const node = await createNode({ site, storage, services, log: silentLog, mesh: { process: mainProcess, host } })
  t.teardown(() => node.close(), { order: 1 })
  await node.ready()
  return node
}

/** What the node answers of the device; what it knows nobody of: nothing. */
async function powersAt(node: Node): Promise<(number | null)[]> {
  const fleet = fleetView(node.directory)
  const query = { deviceId: 'a', metrics: ['powerW'] as const, from: start, to: start + 60_000, step: 'raw' as const }
  const series = await fleet.history(query).catch(() => undefined)
  fleet.close()
  return series?.series.powerW?.filter((value) => value !== null) ?? []
}

const upTo = (count: number) => Array.from({ length: count }, (_, tick) => tick)
const answers = (node: Node, expected: readonly number[], what: string) =>
  until(async () => JSON.stringify(await powersAt(node)) === JSON.stringify(expected), what, 60_000)

test('a worker whose disk was lost with its keys comes back as another member: the gateway answers its history of before', {
  timeout: 300_000,
}, async (t) => {
  const { join: letIn, revoke, storageOf } = await openFleet(t)
  const wm = recorder('wm')
  const joining = { name: 'texas', role: 'worker' as const, sites: ['texas'], services: [wm.placement] }
  const gateway = await letIn({ name: 'desk', role: 'gateway', site: 'hq' })
  const old = await letIn(joining)
  await wm.ticks(0, 30)
  await answers(gateway, upTo(30), 'the gateway has all of it')
  const { feed } = wm.now.store
  await old.close()
  await rm(storageOf('texas'), { recursive: true })
  await revoke(old)

  const fresh = await letIn(joining)
  t.unlike(wm.now.store.feed, feed, 'nothing of before is on its disk')
  await wm.ticks(40, 10)
  const both = [...upTo(30), ...upTo(50).slice(40)]
  await answers(gateway, both, 'the gateway answers both')
  t.is(gateway.directory.readers().filter(({ worker }) => worker === 'wm').length, 1, 'as one worker')

  await gateway.close()
  const again = await run(t, storageOf('desk'), 'hq', [])
  await answers(again, both, 'and still does after a restart')
  await fresh.close()
})

test('a worker whose feed was lost, not its keys, goes on in a new one: the gateway answers its history of before', {
  timeout: 300_000,
}, async (t) => {
  const { join: letIn, storageOf } = await openFleet(t)
  const wm = recorder('wm')
  const gateway = await letIn({ name: 'desk', role: 'gateway', site: 'hq' })
  const node = await letIn({ name: 'texas', role: 'worker', sites: ['texas'], services: [wm.placement] })
  await wm.ticks(0, 30)
  await answers(gateway, upTo(30), 'the gateway has all of it')
  await node.close()
  await rm(wm.now.path, { recursive: true })

  await run(t, storageOf('texas'), 'texas', [wm.placement])
  await wm.ticks(40, 10)
  await answers(gateway, [...upTo(30), ...upTo(50).slice(40)], 'the gateway answers both')
})
