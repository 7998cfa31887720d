import test from 'brittle'
import crypto from 'hypercore-crypto'
import { type GrantFacts, issueGrant, keyOf } from '#keys'
import { systemClock } from '#model'
import type { Node } from '#node'
import { deviceWorker, fleetContract, registrar } from '#rpc'
import type { Membership } from '../../../src/node/mesh/membership.js'
import { createStanding } from '../../../src/node/mesh/standing.js'
import { until } from '../../support/fake-clock.js'
import { openFleet, worker } from './fleets.js'

const timeout = 220_000
const refusal = (job: Promise<unknown>): Promise<{ code: string; message: string }> =>
  job.then(
    () => ({ code: 'none', message: '' }),
    (error) => error,
  )

async function workerSeen(node: Node) {
  await until(() => node.directory.find(deviceWorker).length > 0, 'the worker is seen', 60_000)
  return node.directory.find(deviceWorker)[0]!.client
}
const reboot = (id: string) => ({ id, command: 'reboot', params: {}, requestId: `r-${id}` }) as const

test('who was invited for some devices or libraries asks and commands these alone', { timeout }, async (t) => {
  const fleet = await openFleet(t)
  await fleet.join({ name: 'tx', role: 'worker', sites: ['texas'], services: [worker('wm')] })

  const one = await fleet.join({ name: 'one', role: 'operator', devices: ['wm.a'], grantForMs: 3_600_000 })
  const seen = await workerSeen(one)
  t.is((await refusal(seen.command(reboot('wm.a')))).code, 'NOT_FOUND', 'it may; there is no such device')
  t.is((await refusal(seen.command(reboot('wm.b')))).code, 'FORBIDDEN')
  t.is((await refusal(seen.device({ id: 'wm.b' }))).code, 'FORBIDDEN')

  const other = await fleet.join({ name: 'other', role: 'operator', libraries: ['miner-avalon'] })
  t.is((await refusal((await workerSeen(other)).command(reboot('wm.a')))).code, 'FORBIDDEN')

  const members = await fleet.head.connect(fleetContract).members({})
  const row = members.find(({ key }) => key === one.key)!
  t.alike([row.devices, row.libraries], [['wm.a'], undefined])
  t.ok(row.until! <= row.addedAt + 3_600_000, 'and not for ever')
})

test('limits that would limit nothing are refused, and who is limited lets nobody in', { timeout }, async (t) => {
  const fleet = await openFleet(t)
  const head = fleet.head.connect(registrar)
  for (const role of ['worker', 'monitor', 'aggregator', 'admin'] as const)
    t.is((await refusal(head.invite({ role, devices: ['wm.a'] }))).code, 'BAD_REQUEST', role)
  t.ok(/--scope control/.test((await refusal(head.invite({ role: 'gateway', libraries: ['x'] }))).message))
  t.is((await refusal(head.invite({ role: 'gateway', libraries: ['x'], scope: 'control' }))).code, 'none')

  const as = fleet.head.connect(registrar, {
    caller: { id: 'limited', scope: 'admin', devices: ['wm.a'] },
  })
  t.is((await refusal(as.invite({ role: 'monitor' }))).code, 'FORBIDDEN')
  t.is((await refusal(as.revokeMember({ key: 'ab'.repeat(32), reason: '' }))).code, 'NOT_FOUND', 'of nobody')
  t.is((await refusal(as.revokeMember({ key: fleet.head.key!, reason: '' }))).code, 'FORBIDDEN')
  t.is((await refusal(as.rotateTopic({}))).code, 'FORBIDDEN')
})

test('a feed is of a whole site: who may read it is decided by sites alone, whatever else limits the grant', async (t) => {
  const root = crypto.keyPair()
  const now = systemClock.now()
  const standingOf = (facts: Pick<GrantFacts, 'sites' | 'libraries' | 'devices'>) => {
    const subject = keyOf(crypto.keyPair())
    const grant = issueGrant(root, undefined, { subject, role: 'operator', from: now, ...facts })
    const standing = createStanding({
      roll: {
        member: () => ({ name: 'op', grant }),
        isEmpty: () => false,
        isRevoked: () => false,
        currentAt: () => now,
      },
      membership: { name: 'test', fleet: keyOf(root) } as Membership,
      clock: systemClock,
      maxAgeMs: 60_000,
    })
    return ['texas', 'ohio'].map((site) => standing.mayRead(subject, site))
  }
  t.alike(standingOf({ sites: ['texas'] }), [true, false])
  t.alike(standingOf({ sites: ['texas'], devices: ['wm.a'], libraries: ['miner-x'] }), [true, false], 'no more sites')
  t.alike(standingOf({ devices: ['wm.a'] }), [true, true], 'and no less')
})
