import { join } from 'node:path'
import test from 'brittle'
import { issueGrant, openOwnerKey } from '#keys'
import { silentLog, systemClock } from '#model'
import { createNode, joinFleet, mainProcess, type Node } from '#node'
import { type Intent, signIntent } from '#replication'
import { fleetContract, type InviteRequest, registrar } from '#rpc'
import { until } from '../../support/fake-clock.js'
import { openFleet } from './fleets.js'

const timeout = 220_000
const host = '127.0.0.1'
const codeOf = (job: Promise<unknown>) =>
  job.then(
    () => 'none',
    (error) => error.code,
  )

type Fleet = Awaited<ReturnType<typeof openFleet>>

/** The word of who has the owner's key, for the record that the node keeps. */
async function ownerOf(fleet: Fleet, node: Node) {
  const owner = await openOwnerKey(fleet.storageOf('owner.key'))
  const { record } = await node.connect(registrar).record({})
  return {
    grant: (facts: { subject: string; role: 'aggregator' | 'admin' | 'worker'; scope?: 'admin' }) =>
      issueGrant(owner.keyPair, undefined, { ...facts, from: Date.now() }),
    word: (intent: Intent) => signIntent(record, intent, owner.keyPair, Date.now()),
  }
}

/** Made as the owner: good only once that was said, and its guest waits. */
async function inviteAsOwner(fleet: Fleet, at: Node, { role }: Pick<InviteRequest, 'role'>) {
  const door = at.connect(registrar)
  const { id, code, expiresAt } = await door.invite({ role, byOwner: true })
  const { word } = await ownerOf(fleet, at)
  await door.confirmInvite({ id, owner: word({ op: 'putInvite', id, role, until: expiresAt }) })
  return { id, code }
}

async function start(t: { teardown: (close: () => unknown, options?: object) => void }, fleet: Fleet, name: string) {
  const node = await createNode({
    site: 'hq',
    storage: fleet.storageOf(name),
    services: [],
    log: silentLog,
    mesh: { process: mainProcess, host },
  })
  t.teardown(() => node.close(), { order: 1 })
  await node.ready()
  const isIn = async () => (await node.connect(fleetContract).members({})).some(({ key }) => key === node.key)
  await until(() => isIn().catch(() => false), `${name} is in`, 60_000)
  return node
}

/** Lets a node in whose grant the owner signs while it waits at the door. */
async function joinByOwner(
  t: Parameters<typeof start>[0],
  fleet: Fleet,
  at: Node,
  { name, role, scope }: { name: string; role: 'aggregator' | 'admin'; scope?: 'admin' },
) {
  const { id, code } = await inviteAsOwner(fleet, at, { role })
  const door = at.connect(registrar)
  const joining = joinFleet({ storage: fleet.storageOf(name), code, name, host, clock: systemClock })
  await until(async () => (await door.guest({ id })) !== null, 'it waits', 30_000)
  const guest = (await door.guest({ id }))!
  const { grant } = await ownerOf(fleet, at)
  const facts = { subject: guest.key, role, ...(scope ? { scope } : {}) }
  await door.letIn({ id, grant: grant(facts) })
  await joining
  return { node: await start(t, fleet, name), guest, id }
}

test('an aggregator that the owner let in lets others in, also when the first one is gone', { timeout }, async (t) => {
  const fleet = await openFleet(t)
  const { node: second } = await joinByOwner(t, fleet, fleet.head, { name: 'second', role: 'aggregator' })
  await until(() => second.directory.find(registrar).length > 0, 'it writes the record', 60_000)
  const canWrite = async () => (await codeOf(second.connect(registrar).invite({ role: 'worker' }))) === 'none'
  await until(canWrite, 'it is let write', 60_000)
  await fleet.head.close()

  const { code } = await second.connect(registrar).invite({ role: 'worker', sites: ['hq'] })
  await joinFleet({ storage: fleet.storageOf('tx'), code, name: 'tx', host, clock: systemClock })
  const worker = await start(t, fleet, 'tx')
  const members = await second.connect(fleetContract).members({})
  t.is(members.find(({ key }) => key === worker.key)?.role, 'worker')
})

test('who was let in by an aggregator lets nobody in, is told how, and the owner does it there', {
  timeout,
}, async (t) => {
  const fleet = await openFleet(t)
  const second = await fleet.join({ name: 'second', role: 'aggregator', scope: 'admin', site: 'hq' })
  const door = second.connect(registrar)
  const said = () => door.invite({ role: 'worker' }).catch((error) => error.message)
  await until(async () => /--owner <file>/.test(await said()), 'the way is named', 60_000)
  await until(async () => (await door.record({})).logs.length === 2, 'it writes', 60_000)
  await fleet.head.close()

  const { node: third } = await joinByOwner(t, fleet, second, { name: 'third', role: 'aggregator' })
  await until(async () => (await codeOf(third.connect(registrar).invite({ role: 'worker' }))) === 'none', 'in', 60_000)
  t.pass('the third lets others in')
})

test('admins come in by the owner alone, and by nobody else go', { timeout }, async (t) => {
  const fleet = await openFleet(t)
  const head = fleet.head.connect(registrar)
  await t.exception(head.invite({ role: 'admin' }), /--owner <file>/)

  const { node: admin, guest, id } = await joinByOwner(t, fleet, fleet.head, { name: 'boss', role: 'admin' })
  t.is(guest.key, admin.key)
  t.is(await head.guest({ id }), null)
  const { word, grant } = await ownerOf(fleet, fleet.head)
  t.is(await codeOf(head.letIn({ id, grant: grant({ subject: guest.key, role: 'admin' }) })), 'NOT_FOUND')
  await t.exception(head.revokeMember({ key: admin.key, reason: '' }), /--owner <file>/)
  const other = word({ op: 'revokeMember', key: fleet.head.key! })
  t.is(await codeOf(head.revokeMember({ key: admin.key, reason: '', owner: other })), 'FORBIDDEN', 'said of another')
  await head.revokeMember({ key: admin.key, reason: '', owner: word({ op: 'revokeMember', key: admin.key! }) })
  const members = await fleet.head.connect(fleetContract).members({})
  t.is(members.find(({ key }) => key === admin.key)?.revoked, true)
})

test('an invite of the owner is good for nothing before it was signed, and its guest for no other grant', {
  timeout,
}, async (t) => {
  const fleet = await openFleet(t)
  const door = fleet.head.connect(registrar)
  const { id, code, expiresAt } = await door.invite({ role: 'admin', byOwner: true })
  const storage = join(fleet.storageOf('boss'))
  const plan = { storage, code, name: 'boss', host, clock: systemClock }
  t.is(await codeOf(joinFleet(plan)), 'NOT_FOUND')
  const { word, grant } = await ownerOf(fleet, fleet.head)
  const less = word({ op: 'putInvite', id, role: 'worker', until: expiresAt })
  t.is(await codeOf(door.confirmInvite({ id, owner: less })), 'FORBIDDEN')
  await door.confirmInvite({ id, owner: word({ op: 'putInvite', id, role: 'admin', until: expiresAt }) })

  const joining = joinFleet(plan)
  await until(async () => (await door.guest({ id })) !== null, 'it waits', 30_000)
  const { key } = (await door.guest({ id }))!
  t.is(await codeOf(door.letIn({ id, grant: grant({ subject: 'ab'.repeat(32), role: 'admin' }) })), 'UNAUTHENTICATED')
  t.is(await codeOf(door.letIn({ id, grant: grant({ subject: key, role: 'worker' }) })), 'CONFLICT', 'as invited')
  await door.letIn({ id, grant: grant({ subject: key, role: 'admin' }) })
  t.is((await joining).name, 'test')
})
