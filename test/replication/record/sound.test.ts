import { cp } from 'node:fs/promises'
import b4a from 'b4a'
import test from 'brittle'
import Corestore from 'corestore'
import type { SdkError } from '#model'
import { openRecord, type RecordChange } from '#replication'
import { defineIntent, fields, type IntentKind } from '../../../src/replication/record/intent.js'
import { kinds } from '../../../src/replication/record/intents/index.js'
import { until } from '../../support/fake-clock.js'
import {
  aggregator,
  at,
  type Copy,
  clock,
  connect,
  createFleet,
  grant,
  joinCopy,
  open,
  peer,
  writeRaw,
} from './support.js'

const worker = (name: string) => ({ op: 'addMember', name, grant: grant(peer(name), 'worker') }) as const

test('a copy that is opened with another key is told so, and shows nothing', async (t) => {
  const fleet = await createFleet(t)
  const problems: (SdkError | undefined)[] = []
  const reader = await open(t, await t.tmp(), { key: fleet.record.key, encryptionKey: b4a.alloc(32, 9) })
  reader.record.watch(({ problem }: RecordChange) => problems.push(problem))
  connect(fleet, reader)
  await until(() => problems.length > 0, 'it is told')
  t.is(problems[0]?.code, 'RECORD_KEY_WRONG')
  await t.exception(reader.record.becomeWriter(), /key does not open|only reads/)
  await reader.close()
  const { path } = fleet
  await fleet.close()
  await t.exception(openRecord({ path, encryptionKey: b4a.alloc(32, 9), clock }), { code: 'RECORD_KEY_WRONG' })
  const again = await open(t, path, { member: fleet.first })
  t.is(again.record.fleet?.name, 'Farm', 'nothing was spoiled')
  await again.record.write(worker('w'))
})

test('a restored old copy catches up with its own log before it writes', async (t) => {
  const fleet = await createFleet(t)
  const second = await aggregator(t, fleet, 'second')
  await second.close()
  const old = await t.tmp()
  await cp(second.path, old, { recursive: true })
  const newer = await open(t, second.path, { key: fleet.record.key, member: second.who })
  const cut = connect(fleet, newer)
  for (const name of ['w1', 'w2', 'w3']) await newer.record.write(worker(name))
  await until(() => fleet.record.members().length === 5, 'others have them')
  await cut()
  await newer.close()

  const restored = await open(t, old, {
    key: fleet.record.key,
    member: second.who,
    limits: { peerMs: 60_000, settleMs: 60_000 },
  })
  t.is(restored.record.members().length, 2, 'it is as it was')
  t.is(restored.record.stats().inDoubt, 1)
  const written = restored.record.write(worker('w4'))
  connect(fleet, restored)
  await written
  await until(() => fleet.record.members().length === 6, 'what it writes then arrives')
  t.is(restored.record.members().length, 6)
  t.is(restored.record.stats().inDoubt, 0)
})

test('a machine that stopped leaves a copy in doubt, a process that died does not; who is alone goes on', async (t) => {
  const fleet = await createFleet(t, peer('first'), { boot: 'one' })
  await fleet.record.write({ op: 'rotateTopic', epoch: 1, salt: '11'.repeat(32) })
  const alone = await t.tmp()
  await cp(fleet.path, alone, { recursive: true })
  await fleet.record.write(worker('w'))
  const died = await t.tmp()
  await cp(fleet.path, died, { recursive: true })
  await fleet.close()

  const copied = await open(t, died, { member: fleet.first, boot: 'one', limits: { peerMs: 100 } })
  t.is(copied.record.stats().inDoubt, 1, 'a copy of the folder is not the folder')
  await t.exception(copied.record.write(worker('v')), { code: 'UNAVAILABLE' })
  await copied.close()
  const trusted = await open(t, died, { member: fleet.first, boot: 'one', trustCopy: true })
  await trusted.record.write(worker('v'))
  await trusted.close()
  const next = await open(t, died, { member: fleet.first, boot: 'two' })
  t.is(next.record.stats().inDoubt, 0, 'it was closed well')
  await next.close()

  const only = await open(t, alone, { member: fleet.first, limits: { peerMs: 100 } })
  t.is(only.record.stats().inDoubt, 1)
  await only.record.write(worker('u'))
  t.is(only.record.stats().inDoubt, 0, 'nobody else can be ahead')
})

test('a reader knows since when its copy is not known to be current', async (t) => {
  let now = at
  const moving = { ...clock, now: () => now }
  const options = { clock: moving, limits: { beaconMs: 20 } }
  const fleet = await createFleet(t, peer('first'), options)
  const path = await t.tmp()
  const reader = await open(t, path, { ...options, key: fleet.record.key })
  t.is(reader.record.currentAt, null)
  t.is(fleet.record.currentAt, at, 'who writes is current')
  const cut = connect(fleet, reader)
  await until(() => reader.record.currentAt === at, 'a writer vouches')
  const behind = await joinCopy(t, reader, options)
  await until(() => behind.record.currentAt === at, 'and its word is passed on')
  now = at + 5000
  await until(() => behind.record.currentAt === now, 'again and again')
  await cut()
  now = at + 60_000
  await fleet.record.write(worker('w'))
  t.is(reader.record.currentAt, at + 5000)
  await reader.close()
  const again = await open(t, path, { ...options, key: fleet.record.key })
  t.is(again.record.currentAt, at + 5000, 'it remembers')
})

test('one of several who write is current while it hears another, also through a reader; else its word is as old as its copy', async (t) => {
  let now = at
  const options = { clock: { ...clock, now: () => now }, limits: { beaconMs: 20 } }
  const first = await createFleet(t, peer('first'), options)
  const second = await aggregator(t, first, 'second', options)
  const reader = await joinCopy(t, first, options)
  const all = [first, second, reader]
  const areCurrent = () => {
    const from = now
    const isSo = ({ record }: Copy) => record.currentAt! >= from
    // A word of the same moment is no news.
    return until(() => ++now && all.every(isSo), 'all are current')
  }
  await areCurrent()

  await second.cut()
  const cutAt = now
  now += 60_000
  await first.record.write(worker('w'))
  await until(() => reader.record.members().length === 3, 'the reader goes on with the first')
  const heard = ({ record }: Copy) => record.stats().beaconsHeard!
  const before = all.map(heard)
  await until(() => heard(first) > before[0]! + 1 && heard(reader) > before[2]! + 1, 'they hear each other')
  t.ok(Math.max(first.record.currentAt!, reader.record.currentAt!) <= cutAt, 'its own word proves nothing')

  connect(second, reader)
  await areCurrent()
  t.pass('through the reader both hear each other')

  await first.record.write({ op: 'removeWriter', log: second.record.writerKey! })
  now += 60_000
  t.is(first.record.currentAt, now, 'when the other is put out, nobody is waited for')
})

test('an intent of a newer program stops an older one, says so, and leaves what is there readable', async (t) => {
  const fleet = await createFleet(t)
  const second = await aggregator(t, fleet, 'second')
  await second.close()
  const paint = defineIntent({
    op: 'paintItBlue',
    version: 1,
    schema: fields({}),
    may: () => undefined,
    apply: async (turn) => {
      await turn.put('colour', 'blue')
      return undefined
    },
  })
  const newer = new Map<string, IntentKind>([...kinds, [paint.op, paint as unknown as IntentKind]])
  await writeRaw(second, fleet.record.key, [{ op: paint.op, v: 1, at, fields: {} }], newer)
  const problems: SdkError[] = []
  fleet.record.watch(({ problem }) => problem && problems.push(problem))
  const cores = new Corestore(second.path)
  const held = cores.get({ key: b4a.from(second.record.writerKey, 'hex') })
  await held.ready()
  const streams = [cores.replicate(true), fleet.record.replicate(false)] as const
  streams[0].pipe(streams[1]).pipe(streams[0])
  await until(() => fleet.record.stats().stopped === 1, 'it stops')
  t.is(problems[0]?.code, 'STORE_NEWER')
  t.ok(problems[0]?.message.includes('paintItBlue'), 'and says what it does not know')
  t.is(fleet.record.fleet?.name, 'Farm')
  t.is(fleet.record.members().length, 2)
  await t.exception(fleet.record.write(worker('w')), { code: 'STORE_NEWER' })
  t.is((await fleet.record.invites()).length, 0, 'it can still be read')
  await cores.close()
})
