import b4a from 'b4a'
import test from 'brittle'
import { silentLog } from '#model'
import { devicesAPage, packDevices, unpackDevices } from '#replication'
import { openCores } from '../../../src/replication/cores.js'
import { Mirror } from '../../../src/replication/record/mirror.js'
import { until } from '../../support/fake-clock.js'
import {
  aggregator,
  at,
  connect,
  createFleet,
  encryptionKey,
  grant,
  hour,
  joinCopy,
  open,
  type Peer,
  peer,
  root,
  writeRaw,
} from './support.js'

const reasonOf = async (job: Promise<unknown>): Promise<string | undefined> => {
  try {
    await job
    return undefined
  } catch (error) {
    return (error as { details?: { reason?: string } }).details?.reason ?? (error as { code?: string }).code
  }
}

test('an aggregator with little writes of its sites, and of nothing that needs more', async (t) => {
  const fleet = await createFleet(t)
  const small = peer('small')
  await fleet.record.write({ op: 'addMember', name: 'small', grant: grant(small, 'aggregator', { sites: ['texas'] }) })
  await fleet.record.write({ op: 'addMember', name: 'w', grant: grant(peer('w'), 'worker') })
  const copy = await joinCopy(t, fleet, { member: small })
  await until(() => copy.record.member(small.key) && copy.record.member(peer('w').key), 'it knows itself')
  await copy.record.becomeWriter()
  const { record } = copy
  t.is(await reasonOf(record.write({ op: 'putSite', site: 'texas', totals: { powerW: null } })), undefined)
  t.is(await reasonOf(record.write({ op: 'putSite', site: 'ohio', totals: {} })), 'role')
  t.is(await reasonOf(record.write({ op: 'rotateTopic', epoch: 1, salt: '00'.repeat(32) })), 'role')
  t.is(await reasonOf(record.write({ op: 'revokeMember', key: peer('w').key })), 'role')
  t.is(await reasonOf(record.write({ op: 'revokeMember', key: fleet.first.key })), 'role')
  t.is(await reasonOf(record.write({ op: 'putInvite', id: '01'.repeat(16), role: 'worker', until: at + hour })), 'role')
  t.is(
    await reasonOf(
      record.write({ op: 'putInvite', id: '01'.repeat(16), role: 'admin', sites: ['texas'], until: at + hour }),
    ),
    'role',
  )
  t.is(
    await reasonOf(
      record.write({ op: 'putInvite', id: '01'.repeat(16), role: 'worker', sites: ['texas'], until: at + hour }),
    ),
    undefined,
  )
  t.is(await reasonOf(record.write({ op: 'setIndexers', logs: [record.writerKey] })), 'role')
  t.is(await reasonOf(record.write({ op: 'removeWriter', log: fleet.record.writerKey })), 'role')
})

test('grants: none that is forged, gives too much, is over, or comes from one who was revoked', async (t) => {
  const fleet = await createFleet(t)
  const { record, first, firstGrant } = fleet
  const from = { peer: first, grant: firstGrant }
  const worker = grant(peer('w'), 'worker', {}, from)
  t.is(await reasonOf(record.write({ op: 'addMember', name: 'x', grant: { ...worker, role: 'operator' } })), 'grant')
  const other = grant(peer('v'), 'worker', { until: at - hour / 2 })
  t.is(await reasonOf(record.write({ op: 'addMember', name: 'x', grant: other })), 'grant', 'it is over')
  t.is(await reasonOf(record.write({ op: 'addMember', name: 'w', grant: worker })), undefined)
  // Who may do without, may not push an admin down by a smaller grant of its own.
  const admin = peer('admin')
  await record.write({ op: 'addMember', name: 'admin', grant: grant(admin, 'admin') })
  const less = grant(admin, 'monitor', { from: at }, from)
  t.is(await reasonOf(record.write({ op: 'addMember', name: 'admin', grant: less })), 'role')
  t.is(await reasonOf(record.write({ op: 'revokeMember', key: admin.key })), 'role', 'only the owner revokes admins')
  t.is(
    await reasonOf(record.write({ op: 'revokeMember', key: admin.key }, { as: admin })),
    undefined,
    'or who goes by itself',
  )
  t.is(await reasonOf(record.write({ op: 'rotateTopic', epoch: 9, salt: '00'.repeat(32) }, { as: admin })), 'revoked')
  t.is(await reasonOf(record.write({ op: 'rotateTopic', epoch: 9, salt: '00'.repeat(32) }, { as: peer('w') })), 'role')
  t.is(
    await reasonOf(record.write({ op: 'rotateTopic', epoch: 9, salt: '00'.repeat(32) }, { as: peer('nobody') })),
    'not-a-member',
  )
  // What the owner signed counts once.
  const signed = { op: 'rotateTopic', epoch: 9, salt: '00'.repeat(32), at: at + 1 } as const
  t.is(await reasonOf(record.write(signed, { as: root })), undefined)
  t.is(await reasonOf(record.write(signed, { as: root })), 'repeated')

  await record.write({ op: 'addMember', name: 'second', grant: grant(peer('second'), 'aggregator') })
  await record.write({ op: 'revokeMember', key: first.key, at: at + 2 }, { as: root })
  t.ok(record.isRevoked(peer('w').key), 'with who let it in a member goes')
  t.is(await reasonOf(record.write({ op: 'putSite', site: 'texas', totals: {} })), 'not-a-writer')
  const kinds = (await record.audit()).map(({ op, about }) => `${op} ${about}`)
  t.is(kinds[0], `revokeMember ${first.key}`, 'the audit has the last word')
})

test('a process is put beside a machine that is a member by itself, and stays there', async (t) => {
  const fleet = await createFleet(t)
  const { record, first } = fleet
  const [machine, beside, other] = [peer('machine'), peer('beside'), peer('other')]
  const add = (who: Peer, host?: Peer) =>
    reasonOf(
      record.write({ op: 'addMember', name: 'x', grant: grant(who, 'worker'), ...(host ? { host: host.key } : {}) }),
    )
  t.is(await add(beside, beside), 'conflict', 'itself')
  t.is(await add(beside, machine), 'unknown', 'nobody knows it')
  t.is(await add(machine), undefined)
  t.is(await add(machine, machine), 'conflict', 'itself, once it is there')
  t.is(await add(beside, machine), undefined)
  t.is(await add(other, beside), 'conflict', 'a process')
  t.is(await add(machine, beside), 'conflict', 'a circle of two')
  t.is(await add(first, machine), 'conflict', 'who is there by itself is not made to go with another')
  t.alike(
    record.members().map(({ key, host }) => [key, host]),
    [
      [beside.key, machine.key],
      [first.key, undefined],
      [machine.key, undefined],
    ].sort(([a], [b]) => (a! < b! ? -1 : 1)),
  )
  t.absent(record.isRevoked(beside.key))
  await record.write({ op: 'revokeMember', key: machine.key })
  t.ok(record.isRevoked(beside.key), 'and it goes with its machine')
})

test('a row of old in which a member is its own host, or two are each other’s, stops nobody', (t) => {
  const mirror = new Mirror()
  const put = (who: Peer, host: Peer) =>
    mirror.members.set(who.key, { key: who.key, name: 'x', grant: grant(who, 'worker'), at, host: host.key })
  const [self, left, right] = [peer('self'), peer('left'), peer('right')]
  put(self, self)
  put(left, right)
  put(right, left)
  t.absent(mirror.isRevoked(self.key))
  t.absent(mirror.isRevoked(left.key))
  t.is(mirror.lists.members.length, 3)
  mirror.revoked.set(left.key, { at, by: root.key, owner: true })
  t.ok(mirror.isRevoked(right.key))
})

test('blocks that are no intents are counted, and stop nobody', async (t) => {
  const fleet = await createFleet(t)
  const second = await aggregator(t, fleet, 'second')
  await second.close()
  const { key } = fleet.record
  await writeRaw(second, key, [
    [1, 2, 3],
    { op: 'addMember' },
    { op: 'putSite', v: 1, at, fields: { site: 'no such site!' } },
    { op: 'putSite', v: 1, at, fields: { site: 'texas', totals: {} }, more: 'x'.repeat(300_000) },
    { op: 'createFleet', v: 1, at, fields: {} },
  ])
  const again = await open(t, second.path, { key, member: second.who })
  connect(fleet, again)
  await until(async () => (await fleet.record.refused())['too-large'], 'they came')
  await until(async () => (await fleet.record.refused()).malformed?.count === 4, 'all are counted')
  await fleet.record.write({ op: 'addMember', name: 'w', grant: grant(peer('w'), 'worker') })
  await until(() => again.record.member(peer('w').key), 'it goes on')
})

test('who has no key keeps a copy that others read, and reads nothing itself', async (t) => {
  const fleet = await createFleet(t)
  await fleet.record.write({ op: 'addMember', name: 'secretname', grant: grant(peer('w'), 'worker') })
  await until(() => fleet.record.stats().signedBlocks === fleet.record.stats().viewBlocks, 'it is signed')
  const folder = await openCores(await t.tmp(), silentLog)
  t.teardown(() => folder.close(), { order: 1 })
  const cores = folder.namespace('copies')
  const [left, right] = [fleet.record.replicate(true), cores.replicate(false)]
  left.pipe(right).pipe(left)
  const log = cores.get({ key: b4a.from(fleet.record.logs()[0]!, 'hex') })
  await log.ready()
  await until(async () => (await log.update({ wait: true })) || log.length > 1, 'it sees the log')
  await log.download({ start: 0, end: log.length }).done()
  const bytes = b4a.concat(
    await Promise.all(Array.from({ length: log.length }, async (_, index) => (await log.get(index))!)),
  )
  t.ok(bytes.byteLength > 500, 'it has the blocks')
  for (const word of ['secretname', 'createFleet', 'addMember', root.key])
    t.absent(b4a.includes(bytes, word), `without ${word}`)
  const { key } = fleet.record
  await fleet.close()
  const reader = await open(t, await t.tmp(), { key, encryptionKey })
  const [mirror, own] = [cores.replicate(true), reader.record.replicate(false)]
  mirror.pipe(own).pipe(mirror)
  await until(() => reader.record.member(peer('w').key), 'a reader with the key reads from it')
  t.is(reader.record.member(peer('w').key)?.name, 'secretname')
})

test('the inventory: packed in pages, only the pages that there are', async (t) => {
  const fleet = await createFleet(t)
  const { record } = fleet
  const member = peer('w').key
  await record.write({ op: 'addMember', name: 'w', grant: grant(peer('w'), 'worker') })
  await record.write({ op: 'announceService', member, name: 'wm', kind: 'device-worker', site: 'texas', contracts: [] })
  const devices = Array.from({ length: devicesAPage * 2 + 1 }, (_, index) => ({
    id: `wm.${String(index).padStart(6, '0')}`,
    model: 'M56S',
    location: { rack: `r${index % 40}`, row: index % 9 },
  }))
  const pages = packDevices(devices)
  t.is(pages.length, 3)
  t.alike(
    pages.flatMap(({ data }) => unpackDevices(data)),
    devices,
    'nothing is lost',
  )
  t.ok(pages[0]!.data.length / devicesAPage < 25, `${Math.round(pages[0]!.data.length / devicesAPage)} bytes a device`)
  await record.write(pages.map((page) => ({ op: 'putDevices', member, service: 'wm', ...page, at: at + 1 }) as const))
  const list = async () => {
    const found: string[] = []
    for await (const { id } of record.devices()) found.push(id)
    return found
  }
  t.is((await list()).length, devices.length)
  const fewer = packDevices(devices.slice(0, 10))
  await record.write(fewer.map((page) => ({ op: 'putDevices', member, service: 'wm', ...page, at: at + 2 }) as const))
  t.alike(
    await list(),
    devices.slice(0, 10).map(({ id }) => id),
    'pages of before are not shown',
  )
  t.exception(() => unpackDevices('no page'), { code: 'STORE_FAILED' })
})
