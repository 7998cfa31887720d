import { join } from 'node:path'
import test from 'brittle'
import { silentLog, Type } from '#model'
import { createNode, defineService, mainProcess, type Node, type Placement } from '#node'
import { openStore, type Store } from '#replication'
import { registrar } from '#rpc'
import { aggregator } from '../../../src/workers/aggregator/index.js'
import { openFleet } from '../../node/mesh/fleets.js'
import { until } from '../../support/fake-clock.js'

const folding: Placement = { name: 'fold', service: aggregator, config: { role: 'aggregator' } }

test('two aggregators, one of them limited to sites, make one row of an event; what happens while none runs is told later', {
  timeout: 300_000,
}, async (t) => {
  const { head, join: letIn, storageOf } = await openFleet(t)
  let store: Store | undefined
  const wm = defineService({
    kind: 'device-worker',
    config: Type.Object({}),
    async start(context) {
      const path = join(context.storage, 'feed')
      store = context.use(await openStore({ path, worker: 'wm', site: context.site, intervalMs: 10_000 }))
      context.share(store)
    },
  })
  const say = (message: string) => {
    const at = Date.now()
    return store!.append({ at, records: [], events: [{ at, type: 'service', message }] })
  }
  const aggregates = { role: 'aggregator' as const, services: [folding], mesh: { aggregates: true } }
  const wide = await letIn({ name: 'wide', site: 'hq', ...aggregates })
  const local = await letIn({ name: 'local', sites: ['texas'], ...aggregates })
  await letIn({ name: 'rig', role: 'worker', sites: ['texas'], services: [{ name: 'wm', service: wm, config: {} }] })
  const told = async (node: Node) => (await node.connect(registrar).foldedEvents({})).events

  const counted = (node: Node) => node.services().find(({ name }) => name === 'fold')?.stats ?? {}
  const isWritten = (node: Node) => counted(node).written === 1 && counted(node).waiting === 0
  await say('one')
  await until(() => isWritten(wide) && isWritten(local), 'both have told it', 60_000)
  await until(async () => (await told(head)).length > 0, 'the head knows it', 60_000)
  const { site, worker, event } = (await told(head))[0]!
  t.alike([site, worker, event.message], ['texas', 'wm', 'one'])

  await wide.close()
  await local.close()
  await say('two')
  const again = await createNode({
    site: 'texas',
    storage: storageOf('local'),
    services: [folding],
    log: silentLog,
    mesh: { process: mainProcess, host: '127.0.0.1', aggregates: true },
  })
  t.teardown(() => again.close(), { order: 1 })
  await until(async () => (await told(head)).length > 1, 'it goes on', 90_000)
  t.alike(
    (await told(head)).map(({ event: { message } }) => message),
    ['two', 'one'],
  )
})
