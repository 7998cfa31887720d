import test from 'brittle'
import crypto from 'hypercore-crypto'
import { keyOf } from '#keys'
import { loadGrant, type Node } from '#node'
import { fleetContract, registrar } from '#rpc'
import { enrolProof } from '../../../src/node/mesh/siblings.js'
import { until } from '../../support/fake-clock.js'
import { openFleet } from './fleets.js'

const timeout = 220_000
const codeOf = (job: Promise<unknown>) =>
  job.then(
    () => 'none',
    (error) => error.code,
  )

async function writerSeen(node: Node) {
  await until(() => node.directory.find(registrar).length > 0, 'the aggregator is seen', 60_000)
  return node.directory.find(registrar)[0]!.client
}

test('other processes of a machine that joined are let in with it, and go with it', { timeout }, async (t) => {
  const fleet = await openFleet(t)
  const host = await fleet.join({ name: 'tx', role: 'worker', sites: ['texas'] })
  const { fleet: root } = await host.connect(fleetContract).describe({})
  const writer = await writerSeen(host)
  const process = crypto.keyPair()
  const key = keyOf(process)
  const asked = { name: 'tx-second', role: 'worker', key, proof: enrolProof(process, host.key, root) } as const

  t.is(await codeOf(writer.enrol({ ...asked, proof: enrolProof(crypto.keyPair(), host.key, root) })), 'UNAUTHENTICATED')
  t.is(await codeOf(writer.enrol({ ...asked, role: 'gateway' })), 'FORBIDDEN', 'no more than its machine')
  t.is(await codeOf(fleet.head.connect(registrar).enrol(asked)), 'FORBIDDEN', 'only over its own connection')

  const { grant } = await writer.enrol(asked)
  t.alike([grant.subject, grant.role, grant.sites], [key, 'worker', ['texas']])
  t.alike(await writer.enrol(asked), { grant }, 'asked again it is the same')
  const member = async () => (await fleet.head.connect(fleetContract).members({})).find((one) => one.key === key)
  t.is((await member())?.revoked, false)

  const stranger = await fleet.join({ name: 'ny', role: 'worker', sites: ['ny'], site: 'ny' })
  const taken = { ...asked, proof: enrolProof(process, stranger.key, root) }
  t.is(await codeOf((await writerSeen(stranger)).enrol(taken)), 'CONFLICT', 'nobody takes it over')

  await fleet.revoke(host)
  t.is((await member())?.revoked, true)
})

test('a further aggregator whose services are processes keeps the record, and has them let in by the first', {
  timeout,
}, async (t) => {
  const fleet = await openFleet(t)
  const mesh = { siblings: [{ process: 'wm-tx', role: 'worker', site: 'texas' }] } as const
  const second = await fleet.join({ name: 'second', role: 'aggregator', scope: 'admin', mesh })
  const memberOf = async (node: Node, name: string) =>
    (await node.connect(fleetContract).members({})).find((one) => one.name === name)
  await until(() => loadGrant(fleet.storageOf('second'), 'wm-tx'), 'its other process finds its grant', 60_000)
  t.is((await memberOf(fleet.head, 'wm-tx'))?.role, 'worker', 'and is a member')
  await until(() => second.services().find(({ name }) => name === 'mesh')?.ready, 'nothing is left to do', 30_000)
  const { code } = await second
    .connect(registrar)
    .invite({ role: 'worker' })
    .catch(({ code }) => ({ code }))
  t.is(code, 'FORBIDDEN', 'it answers, and gives no more than its own grant does')
  await fleet.revoke(second)
  t.is((await memberOf(fleet.head, 'wm-tx'))?.revoked, true, 'it goes with its machine')
})
