import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'brittle'
import { openOwnerKey } from '#keys'
import { silentLog } from '#model'
import { reasons, signIntent } from '#replication'
import { fleetContract, registrar } from '#rpc'
import { openRefused } from '../../../src/node/mesh/refused.js'
import { FakeClock, until } from '../../support/fake-clock.js'
import { openFleet } from './fleets.js'

const key = (index: number) => index.toString(16).padStart(64, '0')

test('who is refused stands in the book at once, and how often after a while; it is there after a restart', async (t) => {
  const folder = await t.tmp()
  const clock = new FakeClock()
  const book = await openRefused({ folder, clock, log: silentLog })
  for (let at = 0; at < 1000; at++) book.note('unknown', key(1))
  t.alike(
    (await book.list({})).map(({ reason, key, count }) => ({ reason, key, count })),
    [{ reason: 'unknown', key: key(1), count: 1 }],
  )
  await clock.advance(60_000)
  t.is((await book.list({}))[0]?.count, 999)
  book.note('unknown', key(1))
  book.note('unknown', key(1))
  await book.close()
  const again = await openRefused({ folder, clock, log: silentLog })
  t.alike(
    (await again.list({})).map(({ count }) => count),
    [1, 1, 999, 1],
  )
  await again.close()
})

test('ten thousand strangers leave a few hundred lines', async (t) => {
  const folder = await t.tmp()
  const clock = new FakeClock()
  const book = await openRefused({ folder, clock, log: silentLog })
  for (let at = 0; at < 10_000; at++) book.note('unknown', key(at))
  await book.close()
  const lines = readFileSync(join(folder, 'refused.ndjson'), 'utf8').trim().split('\n')
  t.ok(lines.length <= 202, `${lines.length} lines`)
  const counted = lines.reduce((sum, line) => sum + JSON.parse(line).count, 0)
  t.is(counted, 10_000, 'and none is forgotten')
})

test('what the record did not take is told by every member, with why and whose word it was, and so is who changed it', {
  timeout: 120_000,
}, async (t) => {
  const fleet = await openFleet(t)
  const worker = await fleet.join({ name: 'w', role: 'worker' })
  const head = fleet.head.connect(fleetContract)
  t.alike(await head.notTaken({}), [])
  const door = fleet.head.connect(registrar)
  const { keyPair } = await openOwnerKey(fleet.storageOf('owner.key'))
  const { id, expiresAt } = await door.invite({ role: 'admin', byOwner: true })
  const intent = { op: 'putInvite', id, role: 'admin', until: expiresAt } as const
  const owner = signIntent((await door.record({})).record, intent, keyPair, Date.now())
  await door.confirmInvite({ id, owner })
  await t.exception(door.confirmInvite({ id, owner }), /taken before/)
  const said = await head.notTaken({})
  t.is(said.length, 1)
  t.alike(
    [said[0]?.op, said[0]?.key, said[0]?.count, said[0]?.at, said[0]?.reason, said[0]?.why],
    ['putInvite', fleet.head.key, 1, owner.at, 'repeated', reasons.repeated],
  )
  const told = () => worker.connect(fleetContract).notTaken({})
  await until(async () => (await told()).length === 1, 'others know it, too', 30_000)
  t.alike(await told(), said)
  const audit = await head.recordAudit({})
  t.ok(
    audit.some(({ op, by }) => op === 'useInvite' && by === fleet.head.key),
    JSON.stringify(audit),
  )
  t.alike(
    audit.map(({ at }) => at),
    audit.map(({ at }) => at).sort((a, b) => b - a),
  )
  t.is((await head.recordAudit({ limit: 1 })).length, 1)
})
