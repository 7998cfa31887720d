import type { Duplex } from 'node:stream'
import b4a from 'b4a'
import Corestore from 'corestore'
import crypto from 'hypercore-crypto'
import { type Grant, type GrantFacts, issueGrant, type KeyPair, keyOf } from '#keys'
import { type Clock, systemClock } from '#model'
import { type FleetRecord, openRecord, type RecordOptions } from '#replication'

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
  readonly cores: Corestore
  readonly path: string
  close(): Promise<void>
}

export async function open(t: Closing, path: string, options: Partial<RecordOptions> = {}): Promise<Copy> {
  const cores = new Corestore(path, { allowBackup: true })
  await cores.ready()
  const record = await openRecord({
    cores,
    encryptionKey,
    clock,
    ...options,
    limits: { ackMs: 20, settleMs: 100, ...options.limits },
  })
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= record.close().then(() => cores.close())
    return closing
  }
  t.teardown(close)
  return { record, cores, path, close }
}

/** A fleet with its first aggregator, which signs. */
export async function createFleet(
  t: Closing & { tmp(): Promise<string> },
  first: Peer = peer('first'),
  options: Partial<RecordOptions> = {},
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
  options: Partial<RecordOptions> = {},
) {
  const copy = await open(t, await t.tmp(), { key: to.record.key, ...options })
  return { ...copy, cut: connect(to, copy) }
}
