import test from 'brittle'
import { silentLog, systemClock } from '#model'
import { createNode, joinFleet, mainProcess } from '#node'
import { fleetContract } from '#rpc'
import { openFleet } from './fleets.js'

const host = '127.0.0.1'

test('a node that was let in says what it is before it has the record, and knows nobody', async (t) => {
  const { head, invite, storageOf } = await openFleet(t)
  const { code } = await invite({ role: 'worker', sites: ['texas'] })
  const storage = storageOf('late')
  await joinFleet({ storage, code, name: 'late', host, clock: systemClock })
  await head.close()
  const mesh = { process: mainProcess, host }
  const node = await createNode({ site: 'texas', storage, services: [], log: silentLog, mesh })
  t.teardown(() => node.close(), { order: 1 })
  await node.ready()
  const fleet = node.connect(fleetContract)
  const { role, name } = await fleet.describe({})
  t.alike({ role, name }, { role: 'worker', name: 'test' })
  t.alike(await fleet.members({}), [])
})
