import test from 'brittle'
import { until } from '../../support/fake-clock.js'
import { aggregator, at, connect, createFleet, grant, joinCopy, open, peer, writeRaw } from './support.js'

const event = { at, type: 'error-raised' as const, deviceId: 'a', message: 'a: too hot' }
const said = { op: 'putEvent', event, site: 'texas', worker: 'wm' } as const

test('the same event of two aggregators is one row; another one of the same moment is another', async (t) => {
  const fleet = await createFleet(t)
  const second = await aggregator(t, fleet, 'second')
  await Promise.all([fleet.record.write(said), second.record.write(said)])
  await second.record.write({ ...said, event: { ...event, message: 'a: a fan stands still' } })
  await second.record.write({ ...said, worker: 'wm-2' })
  for (const { record } of [fleet, second])
    await until(async () => (await record.events()).length === 3, 'three events are there')
  t.alike(await fleet.record.events(), await second.record.events())
  t.is(
    (await fleet.record.events()).filter(({ message, worker }) => message === event.message && worker === 'wm').length,
    1,
  )
})

test('an aggregator that is limited to sites writes events of these', async (t) => {
  const fleet = await createFleet(t)
  const small = peer('small')
  await fleet.record.write({ op: 'addMember', name: 'small', grant: grant(small, 'aggregator', { sites: ['texas'] }) })
  const { record } = await joinCopy(t, fleet, { member: small })
  await until(() => record.member(small.key), 'it knows itself')
  await record.becomeWriter()
  await record.write(said)
  await t.exception(record.write({ ...said, site: 'ohio' }), /role/)
  t.alike(
    (await record.events()).map(({ site, worker }) => ({ site, worker })),
    [{ site: 'texas', worker: 'wm' }],
  )
})

test('events that were written before their worker was told stay, each as a row of its own', async (t) => {
  const fleet = await createFleet(t)
  const second = await aggregator(t, fleet, 'second')
  const { key } = fleet.record
  await second.cut()
  await second.close()
  const old = { op: 'putEvent', v: 1, at, fields: { event } }
  await writeRaw(second, key, [old, old])
  const again = await open(t, second.path, { key, member: second.who })
  connect(fleet, again)
  await fleet.record.write(said)
  await until(async () => (await fleet.record.events()).length === 3, 'all are there')
  t.alike((await fleet.record.events()).map(({ worker }) => worker ?? '').sort(), ['', '', 'wm'])
})
