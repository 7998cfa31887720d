import test from 'brittle'
import { until } from '../../support/fake-clock.js'
import { aggregator, at, connect, createFleet, grant, joinCopy, open, peer, root, seen } from './support.js'

test('an aggregator makes its log a writing one by itself; who may not is not let in', async (t) => {
  const fleet = await createFleet(t)
  const second = await aggregator(t, fleet, 'second')
  t.ok(second.record.writable)
  const worker = peer('worker')
  await second.record.write({ op: 'addMember', name: 'w', grant: grant(worker, 'worker'), at: at + 2 })
  await seen(fleet, worker.key)
  t.alike(fleet.record.member(second.who.key)?.writers, [second.record.writerKey])
  t.is(fleet.record.indexers.length, 1, 'it does not sign')

  const monitor = peer('monitor')
  await fleet.record.write({ op: 'addMember', name: 'm', grant: grant(monitor, 'monitor'), at: at + 3 })
  const reader = await joinCopy(t, fleet, { member: monitor })
  await seen(reader, monitor.key)
  await t.exception(reader.record.becomeWriter(), /role may not/)
  await t.exception(
    reader.record.write({ op: 'addMember', name: 'x', grant: grant(peer('x'), 'worker') }),
    /may not write/,
  )
  t.absent(reader.record.writable)
})

test('who is revoked writes no more, and comes back only by the owner', async (t) => {
  const fleet = await createFleet(t)
  const second = await aggregator(t, fleet, 'second')
  await fleet.record.write({ op: 'revokeMember', key: second.who.key, at: at + 5 }, { as: root })
  await until(() => !second.record.writable, 'it may not write any more')
  await t.exception(second.record.becomeWriter(), /revoked/)
  const again = grant(second.who, 'aggregator', { from: at + 6 })
  await t.exception(fleet.record.write({ op: 'addMember', name: 'second', grant: again, at: at + 6 }), /revoked/)
  await fleet.record.write({ op: 'addMember', name: 'second', grant: again, at: at + 7 }, { as: root })
  await until(() => !second.record.isRevoked(second.who.key), 'it is let in again')
  await second.record.becomeWriter()
  t.ok(second.record.writable)
})

test('those who sign become three at once, go on without one, and one again', async (t) => {
  const fleet = await createFleet(t)
  const second = await aggregator(t, fleet, 'second')
  const third = await aggregator(t, fleet, 'third')
  connect(second, third)
  const logs = [fleet, second, third].map(({ record }) => record.writerKey)
  await t.exception(fleet.record.write({ op: 'setIndexers', logs: logs.slice(0, 2) as never }), /valid/)
  await fleet.record.write({ op: 'setIndexers', logs, at: at + 10 })
  await until(() => third.record.indexers.length === 3, 'three sign')
  await until(
    () => fleet.record.stats().signedBlocks === fleet.record.stats().viewBlocks,
    'they sign all there is',
    20_000,
  )

  await third.close()
  const signed = fleet.record.stats().signedBlocks!
  await fleet.record.write({ op: 'addMember', name: 'w', grant: grant(peer('worker'), 'worker'), at: at + 11 })
  await until(() => fleet.record.stats().signedBlocks! > signed, 'two of three sign on', 20_000)
  await until(() => fleet.record.stats().signedBlocks === fleet.record.stats().viewBlocks, 'up to the end', 20_000)

  await fleet.record.write({ op: 'setIndexers', logs: [logs[1]!], at: at + 12 })
  await until(() => second.record.indexers.length === 1, 'one signs')
  await fleet.record.write({ op: 'addMember', name: 'v', grant: grant(peer('v'), 'worker'), at: at + 13 })
  await until(() => second.record.stats().signedBlocks === second.record.stats().viewBlocks, 'it signs', 20_000)
  t.ok(fleet.record.writable, 'who no longer signs still writes')
})

test('the only one who signs is lost for good: the owner hands over to another', async (t) => {
  const fleet = await createFleet(t)
  const second = await aggregator(t, fleet, 'second')
  const key = fleet.record.key
  const isSigned = () => second.record.stats().signedBlocks === second.record.stats().viewBlocks
  await until(isSigned, 'the second is signed for')
  await fleet.close()
  const worker = peer('worker')
  await second.record.write({ op: 'addMember', name: 'w', grant: grant(worker, 'worker'), at: at + 20 })
  const signed = second.record.stats().signedBlocks!
  const logs = [second.record.writerKey]
  await t.exception(second.record.write({ op: 'recover', logs, ...second.record.recovery() }), /signature/)
  await second.record.write({ op: 'recover', logs, ...second.record.recovery(), at: at + 21 }, { as: root })
  await until(() => second.record.indexers[0] === logs[0], 'another signs')
  await until(() => second.record.stats().signedBlocks! > signed, 'signing goes on', 20_000)
  await second.record.write({ op: 'addMember', name: 'v', grant: grant(peer('v'), 'worker'), at: at + 22 })
  t.ok(second.record.member(worker.key), 'what was not signed is not lost')
  t.is((await second.record.refused()).conflict, undefined)

  const late = await open(t, await t.tmp(), { key })
  connect(second, late)
  await seen(late, worker.key)
  await seen(late, peer('v').key)
  t.is(late.record.fleet?.name, 'Farm', 'a new reader finds it by the key that it always had')
})
