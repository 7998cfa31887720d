import test from 'brittle'
import type { Node } from '#node'
import { deviceWorker, fleetContract, registrar } from '#rpc'
import { claimsOf } from '../../../src/node/mesh/claims.js'
import { at, createFleet, grant, hour, type Peer, peer } from '../../replication/record/support.js'
import { until } from '../../support/fake-clock.js'
import { openFleet, refusedBy, worker } from './fleets.js'

const timeout = 220_000
const codeOf = (job: Promise<unknown>) =>
  job.then(
    () => 'none',
    (error) => error.code,
  )

const service = (name: string, more: object = {}) => ({
  name,
  kind: 'device-worker',
  site: 'texas',
  contracts: [deviceWorker.name],
  feed: null,
  relay: null,
  ...more,
})

async function announce(node: Node, ...services: ReturnType<typeof service>[]) {
  await until(() => node.directory.find(registrar).length > 0, 'the aggregator is seen', 60_000)
  return codeOf(node.directory.find(registrar)[0]!.client.announce({ version: '1', services }))
}

test('the name of a worker is of the member who has it, for as long as that one lives', { timeout }, async (t) => {
  const fleet = await openFleet(t)
  const target = await fleet.join({ name: 'tx-1', role: 'worker', sites: ['texas'], services: [worker('wm')] })
  const known = async () =>
    (await fleet.head.connect(fleetContract).services({})).filter(({ kind }) => kind === 'device-worker')
  const namesOf = async (node: Node) => (await known()).filter((one) => one.node === node.key).map(({ name }) => name)
  await until(async () => (await namesOf(target)).includes('wm'), 'its worker is announced', 30_000)

  const other = await fleet.join({ name: 'tx-2', role: 'worker', sites: ['texas', 'ohio'] })
  t.is(await announce(other, service('wm'), service('am')), 'CONFLICT')
  t.alike(await namesOf(other), ['am'], 'what is its own is announced all the same')
  t.ok(
    (await refusedBy(fleet.head)).some(({ key, reason }) => key === other.key && reason === 'name-taken'),
    'and it is noted',
  )
  t.is(await announce(other, service('wm', { site: 'ohio' })), 'none', 'the name of another site is free')
  t.is(await announce(other, service('wm', { contracts: [] })), 'none')
  t.is(await announce(other, service('wm')), 'CONFLICT', 'nor is it taken in small steps')
  const feed = { main: 'ab'.repeat(32), intervalMs: 1000 }
  t.is(await announce(other, service('mine', { feed })), 'none')
  const third = await fleet.join({ name: 'tx-3', role: 'worker', sites: ['texas'] })
  t.is(await announce(third, service('yours', { feed, contracts: [] })), 'CONFLICT', 'nor is a feed')

  await fleet.revoke(target)
  t.is(await announce(other, service('wm')), 'none', 'once its member is out, the name is free')
})

test('between the processes of one machine a worker moves, and a member that has ended holds no name', async (t) => {
  const { record } = await createFleet(t)
  const [machine, process, stranger] = [peer('machine'), peer('process'), peer('stranger')]
  const add = (who: Peer, more: object = {}) =>
    record.write({ op: 'addMember', name: 'x', grant: grant(who, 'worker', { until: at + hour }), ...more })
  await add(machine)
  await add(process, { host: machine.key })
  await add(stranger)
  const { feed: _feed, relay: _relay, ...wm } = service('wm')
  await record.write({ op: 'announceService', member: machine.key, ...wm })
  const claims = (who: Peer, now = at) =>
    claimsOf(record, now, who.key, [service('wm')]).map(({ sameMachine }) => sameMachine)
  t.alike(claims(process), [true])
  t.alike(claims(stranger), [false])
  t.alike(claims(machine), [])
  t.alike(claims(stranger, at + hour), [])
})
