import type { Duplex } from 'node:stream'
import b4a from 'b4a'
import crypto from 'hypercore-crypto'
import { type Grant, type GrantFacts, issueGrant, type KeyPair, keyOf } from '#keys'
import { type Clock, silentLog, systemClock } from '#model'
import { type FleetRecord, openRecord, type RecordSettings } from '#replication'
import { openCores } from '../../../src/replication/cores.js'
import { makeApply } from '../../../src/replication/record/apply.js'
import { openBase } from '../../../src/replication/record/base.js'
import { Follower } from '../../../src/replication/record/follower.js'
import type { IntentKind } from '../../../src/replication/record/intent.js'
import { kinds } from '../../../src/replication/record/intents/index.js'
import { Mirror } from '../../../src/replication/record/mirror.js'
import { until } from '../../support/fake-clock.js'

export const at = 1_800_000_000_000
export const hour = 3_600_000
export const encryptionKey = b4a.alloc(32, 7)
export const salt = '5a'.repeat(32)

export interface Peer extends KeyPair {
  readonly key: string
}

/** The same peer for the same name. */
export function peer(name: string): Peer {
  const pair = crypto.keyPair(b4a.from(name.padEnd(32, '.').slice(0, 32)))
  return { ...pair, key: keyOf(pair) }
}

/** Stands at `at`; its timers are real, and keep the process: nothing else does between streams in memory. */
export const clock: Clock = {
  ...systemClock,
  now: () => at,
  after(ms, call) {
    const timer = setTimeout(call, ms)
    return () => clearTimeout(timer)
  },
}

export const root = peer('root')

/** A grant that the fleet's root signed; with `parent`, that its subject signed. */
export function grant(
  subject: Peer,
  role: Grant['role'],
  more: Partial<GrantFacts> = {},
  by?: { peer: Peer; grant: Grant },
) {
  const facts = { subject: subject.key, role, from: at - hour, ...more }
  return by ? issueGrant(by.peer, by.grant, facts) : issueGrant(root, undefined, facts)
}

interface Closing {
  teardown(close: () => unknown, options?: { order?: number }): void
}

export interface Copy {
  readonly record: FleetRecord
  readonly path: string
  close(): Promise<void>
}

export async function open(t: Closing, path: string, options: Partial<RecordSettings> = {}): Promise<Copy> {
  const record = await openRecord({
    path,
    encryptionKey,
    clock,
    ...options,
    limits: { ackMs: 20, settleMs: 250, ...options.limits },
  })
  t.teardown(() => record.close())
  return { record, path, close: () => record.close() }
}

/** A fleet with its first aggregator, which signs. */
export async function createFleet(
  t: Closing & { tmp(): Promise<string> },
  first: Peer = peer('first'),
  options: Partial<RecordSettings> = {},
): Promise<Copy & { first: Peer; firstGrant: Grant }> {
  const copy = await open(t, await t.tmp(), { member: first, ...options })
  const firstGrant = grant(first, 'aggregator', { scope: 'admin' })
  await copy.record.write({
    op: 'createFleet',
    root: root.key,
    name: 'Farm',
    member: 'first',
    grant: firstGrant,
    salt,
    at,
  })
  return { ...copy, first, firstGrant }
}

/** Connects two copies; answers how to cut them. */
export function connect(a: Copy, b: Copy): () => Promise<void> {
  const [left, right] = [a.record.replicate(true), b.record.replicate(false)]
  for (const stream of [left, right]) stream.on('error', () => undefined)
  left.pipe(right).pipe(left)
  return () => Promise.all([ended(left), ended(right)]).then(() => undefined)
}

function ended(stream: Duplex): Promise<void> {
  if (stream.destroyed) return Promise.resolve()
  const gone = new Promise<void>((done) => stream.once('close', () => done()))
  stream.destroy()
  return gone
}

/** A further copy that is connected to one that is there. */
export async function joinCopy(
  t: Closing & { tmp(): Promise<string> },
  to: Copy,
  options: Partial<RecordSettings> = {},
) {
  const copy = await open(t, await t.tmp(), { key: to.record.key, ...options })
  return { ...copy, cut: connect(to, copy) }
}

export const seen = async (copy: Copy, key: string) =>
  until(() => copy.record.member(key), `member ${key.slice(0, 6)} is seen`).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(copy.record.stats())}`)
  })

/** A further aggregator that writes. */
export async function aggregator(
  t: Parameters<typeof joinCopy>[0],
  fleet: Copy,
  name: string,
  options: Partial<RecordSettings> = {},
) {
  const who = peer(name)
  await fleet.record.write({ op: 'addMember', name, grant: grant(who, 'aggregator', { scope: 'admin' }), at: at + 1 })
  const copy = await joinCopy(t, fleet, { ...options, member: who })
  await seen(copy, who.key)
  await copy.record.becomeWriter()
  await until(() => fleet.record.member(who.key)?.writers.length, `the log of ${name} is seen`)
  return { ...copy, who }
}

/** Puts blocks into the log of a closed copy that no program of today would write, or takes: as `known` says. */
export async function writeRaw(
  copy: Pick<Copy, 'path'>,
  key: string | undefined,
  blocks: readonly object[],
  known: ReadonlyMap<string, IntentKind> = kinds,
): Promise<void> {
  const cores = await openCores(copy.path, silentLog)
  const follower = new Follower(
    new Mirror(),
    clock,
    () => undefined,
    () => undefined,
  )
  const apply = makeApply(() => undefined, known)
  const base = openBase({ cores, key, encryptionKey, apply, follower })
  await base.ready()
  for (const block of blocks) await base.append(b4a.from(JSON.stringify(block)), { optimistic: !base.writable })
  await base.close()
  await cores.close()
}
