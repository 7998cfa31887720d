import test from 'brittle'
import crypto from 'hypercore-crypto'
import { decodeInvite, inviteKeys, keyOf, openIdentity } from '#keys'
import { systemClock } from '#model'
import { joinFleet } from '#node'
import { fleetContract, type InviteRequest, registrar } from '#rpc'
import { ask } from '../../../src/node/mesh/door.js'
import { dialDoor } from '../../../src/node/network/index.js'
import { until } from '../../support/fake-clock.js'
import { openFleet, refusedBy } from './fleets.js'

const host = '127.0.0.1'
const clock = systemClock
const worker: InviteRequest = { role: 'worker', sites: ['texas'] }

test('who does not come in by an invite is told why, and stands in the book and the counts with the reason', {
  timeout: 120_000,
}, async (t) => {
  const fleet = await openFleet(t)
  const { head, storageOf } = fleet
  const refusal = (code: string, name: string) =>
    joinFleet({ storage: storageOf(name), code, name, host, clock }).then(
      () => 'let in',
      (error) => `${error.code}: ${error.message}`,
    )
  const dial = (code: string, guest?: ReturnType<typeof crypto.keyPair>) => {
    const { seed, bootstrap } = decodeInvite(code)
    const keys = inviteKeys(seed)
    return dialDoor({ ...keys, guest: guest ?? keys.guest, bootstrap: bootstrap ?? [], host, clock })
  }

  const used = await fleet.invite(worker)
  t.is(await refusal(used.code, 'first'), 'let in')
  t.ok(/^CONFLICT: .*used already/.test(await refusal(used.code, 'second')))

  const revoked = await fleet.invite(worker)
  await head.connect(registrar).revokeInvite({ id: revoked.id })
  t.ok(/^FORBIDDEN: .*taken back/.test(await refusal(revoked.code, 'third')))

  const ended = await fleet.invite({ ...worker, expiresInMs: 1_000 })
  await until(() => Date.now() > ended.expiresAt, 'it is over')
  t.ok(/^FORBIDDEN: .*ended at/.test(await refusal(ended.code, 'fourth')))

  t.ok(/^BAD_REQUEST/.test(await refusal('nonsense', 'fifth')), 'what is no code goes nowhere')

  const open = await fleet.invite(worker)
  const stranger = crypto.keyPair()
  await t.exception(dial(open.code, stranger), { code: 'UNAVAILABLE' })

  const liar = await dial(open.code)
  const { key } = await openIdentity(storageOf('sixth'))
  const claims = { key, keyPair: () => crypto.keyPair() } as unknown as Parameters<typeof ask>[1]
  await t.exception(ask(liar.stream, claims, 'sixth', clock), /proof of the key is wrong/)
  await liar.close()

  const reasons = ['invite-expired', 'invite-revoked', 'invite-used', 'not-invited']
  const inBook = await refusedBy(head)
  t.alike([...new Set(inBook.map(({ reason }) => reason))].sort(), reasons)
  t.ok(inBook.some((one) => one.reason === 'not-invited' && one.key === keyOf(stranger)))
  const { refusals } = await head.connect(fleetContract).describe({})
  for (const reason of reasons) t.ok(refusals[reason]! >= 1, `${reason} is counted`)
  const stats = head.services().find(({ name }) => name === 'mesh')?.stats
  t.is(stats?.refused_invite_used, 1, 'for the metrics, too')
  t.is(await refusal(open.code, 'seventh'), 'let in', 'and the invite is still good')
})
