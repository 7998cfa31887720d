import type { Host, Node } from 'autobase'
import b4a from 'b4a'
import { bytesOf, type Grant, type Held, roles, rootHeld, verifyGrant } from '#keys'
import { matches, SdkError } from '#model'
import {
  type Author,
  type Envelope,
  EnvelopeSchema,
  type Fleet,
  type IntentKind,
  maxIntentBytes,
  type Reason,
  type Turn,
} from './intent.js'
import { kinds } from './intents/index.js'
import type { MemberRow, RefusedRow, WriterRow } from './shapes.js'
import { signedDigest } from './signed.js'
import { rows, type View } from './view.js'

/** Told of every intent of a block, after it was taken or refused: for those who wait for the outcome of their own. Changes nothing. */
export type Outcome = (log: string, length: number, reason: Reason | undefined, details?: string) => void

type Known = ReadonlyMap<string, IntentKind>
type Batch = ReturnType<View['batch']>

/**
 * The one way into the view. Pure: what comes out depends on the view and the blocks alone, so that every peer that has taken in the same
 * blocks in the same order has the same view. What may not be is counted by its reason, in the view too.
 */
export function makeApply(outcome: Outcome, known: Known = kinds) {
  return async (nodes: readonly Node[], view: View, host: Host): Promise<void> => {
    const batch = view.batch({ update: false })
    let changed = false
    const table: Table = {
      get: async <T>(row: string) => ((await batch.get(row))?.value ?? undefined) as T | undefined,
      put: (row, value) => {
        changed = true
        return batch.put(row, value)
      },
      del: (row) => {
        changed = true
        return batch.del(row)
      },
    }
    try {
      for (const node of nodes) await applyNode(node, table, host, known, outcome)
      if (changed) await batch.flush()
    } finally {
      if (!changed) await closed(batch)
    }
  }
}

interface Table {
  get<T>(row: string): Promise<T | undefined>
  put(row: string, value: unknown): Promise<void>
  del(row: string): Promise<void>
}

async function closed(batch: Batch): Promise<void> {
  await batch.close()
}

async function applyNode(node: Node, table: Table, host: Host, known: Known, outcome: Outcome): Promise<void> {
  const log = b4a.toString(node.from.key, 'hex')
  const envelope = read(node.value)
  const reason = typeof envelope === 'string' ? envelope : await take(envelope, node, log, table, host, known)
  // A stranger's block that is not taken leaves no trace: else anybody could make the view grow.
  if (reason !== undefined && !node.optimistic) {
    const last = typeof envelope === 'string' ? { log } : { log, op: envelope.op, at: envelope.at }
    const before = await table.get<RefusedRow>(rows.refused(reason))
    await table.put(rows.refused(reason), { count: (before?.count ?? 0) + 1, last })
  }
  outcome(log, node.length, reason)
}

function read(value: Uint8Array): Envelope | Reason {
  if (value.byteLength > maxIntentBytes) return 'too-large'
  try {
    const parsed: unknown = JSON.parse(b4a.toString(value))
    return matches(EnvelopeSchema, parsed) ? parsed : 'malformed'
  } catch {
    return 'malformed'
  }
}

async function take(
  envelope: Envelope,
  node: Node,
  log: string,
  table: Table,
  host: Host,
  known: Known,
): Promise<Reason | undefined> {
  const kind = known.get(envelope.op)
  const fleet = await table.get<Fleet>(rows.fleet)
  const record = b4a.toString(host.key, 'hex')
  if (node.optimistic && !(kind?.fromStrangers && envelope.v === kind.version)) return 'not-a-writer'
  const held = (grant: Grant) => heldBy(grant, fleet, envelope.at, table)

  let author: Author | Reason
  let digest: string | undefined
  if (!fleet) {
    if (!kind?.genesis) return 'no-fleet'
    author = nobody
  } else if (envelope.signed) {
    digest = signedDigest(record, envelope)
    if (digest === undefined) return 'signature'
    if (await table.get(rows.signed(digest))) return 'repeated'
    author = await authorOf(envelope.signed.by, fleet, held, table)
  } else {
    const writer = await table.get<WriterRow>(rows.writer(log))
    if (writer && !writer.removed) author = await authorOf(writer.member, fleet, held, table)
    // What a stranger may bring proves itself; it does so from the log of who no longer is one, too.
    else if (kind?.fromStrangers) author = nobody
    else return 'not-a-writer'
  }
  if (typeof author === 'string') return author
  if (author !== nobody && !roles[author.held.role].record) return 'role'

  // Only now: the word of somebody who may write the record can stop peers, nobody else's.
  if (!kind || envelope.v > kind.version) host.interrupt(newer(envelope, kind))
  if (!matches(kind.schema, envelope.fields)) return 'malformed'
  const forbidden = kind.may(author, envelope.fields)
  if (forbidden) return forbidden

  const origin = `${log.slice(0, 16)}.${String(node.length).padStart(9, '0')}`
  const turn: Turn = { ...table, at: envelope.at, author, log, origin, fleet, record, held, base: baseCalls(host) }
  const reason = await kind.apply(turn, envelope.fields)
  if (reason) return reason
  if (digest !== undefined) await table.put(rows.signed(digest), { at: envelope.at })
  if (kind.audit) {
    const by = author === nobody ? undefined : author.key
    const row = { at: envelope.at, op: envelope.op, by, about: kind.audit(envelope.fields) }
    await table.put(rows.audit(envelope.at, origin), row)
  }
  return undefined
}

function newer({ op, v }: Envelope, kind: IntentKind | undefined): string {
  const ours = kind ? `version ${kind.version} of it` : 'none of that name'
  return `the record has the intent ${op} of version ${v}, and this program knows ${ours}: update it`
}

/** Stands for who has no grant in the view: only what proves itself comes this far. */
const nobody: Author = Object.freeze({ key: '', held: rootHeld(''), owner: false })

async function authorOf(
  key: string,
  fleet: Fleet,
  held: (grant: Grant) => Promise<Held | Reason>,
  table: Table,
): Promise<Author | Reason> {
  if (key === fleet.root) return { key, held: rootHeld(fleet.root), owner: true }
  const member = await table.get<MemberRow>(rows.member(key))
  if (!member) return 'not-a-member'
  const given = await held(member.grant)
  return typeof given === 'string' ? given : { key, held: given, owner: given.role === 'owner' }
}

async function heldBy(grant: Grant, fleet: Fleet | undefined, at: number, table: Table): Promise<Held | Reason> {
  if (!fleet) return 'no-fleet'
  const names = [grant, ...(grant.parent ? [grant.parent] : [])].flatMap(({ id, subject }) => [id, subject])
  const revoked = new Set<string>()
  for (const name of names) if (await table.get(rows.revoked(name))) revoked.add(name)
  if (revoked.size > 0) return 'revoked'
  try {
    return verifyGrant(grant, { fleet: fleet.root, now: at, revoked: (name) => revoked.has(name) })
  } catch (error) {
    if (error instanceof SdkError) return 'grant'
    throw error
  }
}

function baseCalls(host: Host): Turn['base'] {
  return {
    addWriter: (log, indexer) => host.addWriter(bytesOf(log), { indexer }),
    removeWriter: (log) => host.removeWriter(bytesOf(log)),
    removable: (log) => host.removeable(bytesOf(log)),
    async written(log) {
      const found = await host.system.get(bytesOf(log))
      return found && !found.isRemoved ? found.length : undefined
    },
    indexers: () => host.system.indexers.map(({ key }) => b4a.toString(key, 'hex')),
    async signed(log, length) {
      if (length > host.system.core.length) return false
      const before = await host.system.checkout(length)
      try {
        const found = await before.get(bytesOf(log))
        return found !== null && !found.isRemoved && found.length > 0
      } finally {
        await before.close()
      }
    },
    fork: (indexers, system, length) => host.fork(indexers.map(bytesOf), { key: bytesOf(system), length }),
  }
}
