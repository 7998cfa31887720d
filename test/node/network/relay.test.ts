import { once } from 'node:events'
import test from 'brittle'
import crypto from 'hypercore-crypto'
import HyperDHT from 'hyperdht'
import { keyOf } from '#keys'
import { until } from '../../support/fake-clock.js'
import { Members, open, privateDht } from './nets.js'

test('a relay serves members only, and a few sessions of a guest on its way to a door, and ends what a dropped one has open', {
  timeout: 60_000,
}, async (t) => {
  const bootstrap = await privateDht(t)
  const members = new Members()
  const relayPair = crypto.keyPair()
  const visitorPair = crypto.keyPair()
  const relay = await open(t, {
    keyPair: members.newcomer(),
    bootstrap,
    admits: members.admits,
    relay: { serve: relayPair, visits: (key) => key === keyOf(visitorPair) },
  })
  await relay.flushed()
  const sessions = async () => (await relay.diagnose()).places[0]?.relay?.sessions

  const memberPair = members.newcomer()
  const member = new HyperDHT({ bootstrap, host: '127.0.0.1', keyPair: memberPair })
  t.teardown(() => member.destroy({ force: true }))
  const own = member.connect(relayPair.publicKey)
  own.on('error', () => {})
  await once(own, 'open')
  await until(async () => (await sessions()) === 1, 'the member has a session')

  const visitor = new HyperDHT({ bootstrap, host: '127.0.0.1', keyPair: visitorPair })
  t.teardown(() => visitor.destroy({ force: true }))
  const visits = []
  for (let visit = 0; visit < 4; visit++) {
    visits.push(visitor.connect(relayPair.publicKey))
    await once(visits[visit]!, 'open')
    await until(async () => (await sessions()) === 2 + visit, 'the guest has a session')
  }
  const stranger = new HyperDHT({ bootstrap, host: '127.0.0.1' })
  t.teardown(() => stranger.destroy({ force: true }))
  const [tooMany, refused] = [visitor, stranger].map((dht) => dht.connect(relayPair.publicKey))
  await Promise.all([once(tooMany!, 'error'), once(refused!, 'error')])
  t.is(tooMany!.rawBytesRead, 0, 'the guest gets no more than it needs')
  t.is(refused!.rawBytesRead, 0, 'a stranger hears nothing')
  t.ok((relay.refusals().unknown ?? 0) > 0, 'and is counted')

  for (const visit of visits) visit.destroy()
  await until(async () => (await sessions()) === 1, 'the guest is gone')
  members.delete(keyOf(memberPair))
  relay.drop(keyOf(memberPair))
  await until(() => own.destroyed, 'the dropped member is out')
  t.is(await sessions(), 0)
})
