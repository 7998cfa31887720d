import test from 'brittle'
import { until } from '../../support/fake-clock.js'
import { at, createFleet, grant, hour, joinCopy, peer } from './support.js'

test('a fleet is created, a member let in and seen by a reader, revoked and seen as revoked', async (t) => {
  const fleet = await createFleet(t)
  const reader = await joinCopy(t, fleet)
  t.is(fleet.record.fleet?.name, 'Farm')
  const worker = peer('worker')
  await fleet.record.write({ op: 'addMember', name: 'w1', grant: grant(worker, 'worker'), at: at + 1 })
  t.is(fleet.record.member(worker.key)?.name, 'w1', 'the writer sees it at once')
  await until(() => reader.record.member(worker.key), 'the reader sees the member')

  await fleet.record.write({
    op: 'announceService',
    member: worker.key,
    name: 'wm',
    kind: 'device-worker',
    site: 'texas',
    contracts: ['worker'],
    at: at + 2,
  })
  await until(() => reader.record.services().length === 1, 'the reader sees the service')

  const revoked: string[] = []
  reader.record.watch((change) => revoked.push(...change.revoked))
  await fleet.record.write({ op: 'revokeMember', key: worker.key, at: at + 3 })
  await until(() => reader.record.isRevoked(worker.key), 'the reader knows of the revocation')
  t.alike(revoked, [worker.key], 'and was told')
  t.alike(reader.record.services(), [], 'services of a revoked member are none')
  t.is(reader.record.members().length, 2)
})

test('an invite is used once', async (t) => {
  const { record, first, firstGrant } = await createFleet(t)
  const id = 'ab'.repeat(16)
  await record.write({ op: 'putInvite', id, role: 'worker', sites: ['texas'], until: at + hour, at: at + 1 })
  const guest = (name: string, more = {}) =>
    grant(peer(name), 'worker', { sites: ['texas'], from: at, ...more }, { peer: first, grant: firstGrant })
  await t.exception(
    record.write({ op: 'useInvite', id, name: 'g', grant: guest('g', { sites: ['ohio'] }), at: at + 2 }),
    /contradicts/,
  )
  await t.exception(record.write({ op: 'useInvite', id, name: 'g', grant: guest('g'), at: at + hour }), /contradicts/)
  await record.write({ op: 'useInvite', id, name: 'g', grant: guest('g'), at: at + 2 })
  await t.exception(record.write({ op: 'useInvite', id, name: 'h', grant: guest('h'), at: at + 3 }), /contradicts/)
  await t.exception(record.write({ op: 'revokeInvite', id, at: at + 4 }), /contradicts/)
  t.is((await record.invites())[0]?.state, 'used')
  t.is(record.member(peer('g').key)?.invite, id)
  t.absent(record.member(peer('h').key))
  t.is((await record.refused()).conflict?.count, 4, 'every refusal is counted')
})
