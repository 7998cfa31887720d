import test, { type Assertions } from 'brittle'
import crypto from 'hypercore-crypto'
import { clockToleranceMs, type Grant, type GrantFacts, issueGrant, type Key, keyOf } from '#keys'
import { createAttendance } from '../../../src/node/mesh/attendance.js'
import type { Membership } from '../../../src/node/mesh/membership.js'
import { createStanding } from '../../../src/node/mesh/standing.js'
import { FakeClock } from '../../support/fake-clock.js'

/** A roll that can be written, and what is done with those on it. */
function openHall(t: Assertions) {
  const clock = new FakeClock()
  const owner = crypto.keyPair()
  const members = new Map<Key, Grant>()
  const revoked = new Set<string>()
  const done: string[] = []
  const standing = createStanding({
    roll: {
      member(key) {
        const grant = members.get(key)
        return grant && { name: key, grant }
      },
      isEmpty: () => members.size === 0,
      isRevoked: (key) => revoked.has(key),
      currentAt: () => clock.now(),
    },
    membership: { name: 'test', fleet: keyOf(owner), hosts: ['host'] } as unknown as Membership,
    clock,
    maxAgeMs: 1000,
  })
  const attendance = createAttendance({
    standing,
    clock,
    expel: (key, why) => void done.push(`${key} ${why}`),
    reconnect: (key) => void done.push(`${key} anew`),
  })
  t.teardown(() => attendance.close())
  const give = (key: Key, facts: Omit<GrantFacts, 'subject' | 'from'>) =>
    void members.set(key, issueGrant(owner, undefined, { subject: key, from: clock.now(), ...facts }))
  const come = (facts: Omit<GrantFacts, 'subject' | 'from'>) => {
    const key = keyOf(crypto.keyPair())
    give(key, facts)
    return { key, gone: attendance.came(key) }
  }
  return { clock, attendance, give, come, members, revoked, done }
}

test('who is here when its grant ends is shown out then, and the others stay', async (t) => {
  const { clock, attendance, give, come, done } = openHall(t)
  const until = (ms: number) => ({ until: clock.now() + ms })
  come({ role: 'monitor' })
  const late = come({ role: 'monitor', ...until(90_000_000) })
  const soon = come({ role: 'operator', ...until(60_000) })
  const left = come({ role: 'operator', ...until(60_000) })
  const renewed = come({ role: 'operator', ...until(60_000) })
  left.gone()
  give(renewed.key, { role: 'operator' })
  attendance.look()
  t.is(clock.pending, 1, 'one timer')
  await clock.advance(60_000 + clockToleranceMs - 1)
  t.alike(done, [], 'as long as clocks may differ')
  await clock.advance(1)
  t.alike(done, [`${soon.key} not-valid`])
  await clock.advance(90_000_000)
  t.alike(done, [`${soon.key} not-valid`, `${late.key} not-valid`])
  t.is(clock.pending, 0)
})

test('a grant of months ends at its time', async (t) => {
  const { clock, come, done } = openHall(t)
  const { key } = come({ role: 'monitor', until: clock.now() + 60 * 86_400_000 })
  await clock.advance(60 * 86_400_000)
  t.alike(done, [])
  await clock.advance(clockToleranceMs)
  t.alike(done, [`${key} not-valid`])
})

const exchanged: [string, Partial<GrantFacts>, Partial<GrantFacts>, boolean][] = [
  ['fewer sites', { role: 'monitor', sites: ['a', 'b'] }, { role: 'monitor', sites: ['a'] }, true],
  ['some sites instead of all', { role: 'monitor' }, { role: 'monitor', sites: ['a'] }, true],
  ['another site', { role: 'monitor', sites: ['a'] }, { role: 'monitor', sites: ['b'] }, true],
  ['a role that reads nothing', { role: 'operator' }, { role: 'worker' }, true],
  ['more sites', { role: 'monitor', sites: ['a'] }, { role: 'monitor', sites: ['a', 'b'] }, false],
  ['all sites', { role: 'monitor', sites: ['a'] }, { role: 'monitor' }, false],
  ['a role that reads as much', { role: 'operator' }, { role: 'monitor' }, false],
  ['a role that reads for the first time', { role: 'worker', sites: ['a'] }, { role: 'monitor', sites: ['a'] }, false],
]
test('who may read less than when it came connects anew; who may read as much or more stays', async (t) => {
  for (const [what, before, now, anew] of exchanged) {
    const { attendance, give, come, done } = openHall(t)
    const { key } = come(before as GrantFacts)
    give(key, now as GrantFacts)
    attendance.look()
    t.alike(done, anew ? [`${key} anew`] : [], what)
    attendance.look()
    t.is(done.length, anew ? 1 : 0, 'and is told once')
  }
})

test('who is revoked is shown out; a host stays that the record does not name yet', async (t) => {
  const { attendance, come, revoked, done } = openHall(t)
  attendance.came('host')
  const { key } = come({ role: 'monitor' })
  revoked.add(key)
  attendance.look()
  t.alike(done, [`${key} revoked`])
})
