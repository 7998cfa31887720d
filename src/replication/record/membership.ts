import type { Grant, Key } from '#keys'
import type { Author, Reason, Turn } from './intent.js'
import { mayRule } from './rules.js'
import type { MemberRow, RevokedRow, WriterRow } from './shapes.js'
import { rows } from './view.js'

/**
 * Lets a member in, or gives one that is there a newer grant. The grant speaks for itself; the author only for replacing the grant of
 * somebody it has no say about, and for letting in again who was revoked.
 */
export async function admit(
  turn: Turn,
  grant: Grant,
  more: { name: string; invite?: string; host?: Key },
): Promise<Reason | undefined> {
  const { subject: key } = grant
  const { author } = turn
  const revoked = await turn.get<RevokedRow>(rows.revoked(key))
  if (revoked && !author.owner && (revoked.owner || mayRule(author, grant))) return 'revoked'
  // Judged as if the key were let in again already; its chain and the grant itself must not be revoked.
  if (revoked) await turn.del(rows.revoked(key))
  const held = await turn.held(grant)
  const before = await turn.get<MemberRow>(rows.member(key))
  const refused = typeof held === 'string' ? held : await overrides(turn, before, grant)
  if (refused) {
    if (revoked) await turn.put(rows.revoked(key), revoked)
    return refused
  }
  const row: MemberRow = { key, ...more, grant, at: turn.at, by: author.key }
  await turn.put(rows.member(key), row)
  return undefined
}

/**
 * A process is beside a machine that is a member by itself, and who is one by itself never becomes a process: so there are no chains and no
 * circles, and nobody is put beside another to go out with it.
 */
export async function mayHost(turn: Turn, host: Key, process: Key): Promise<Reason | undefined> {
  if (host === process) return 'conflict'
  const machine = await turn.get<MemberRow>(rows.member(host))
  if (!machine) return 'unknown'
  if (machine.host !== undefined) return 'conflict'
  const before = await turn.get<MemberRow>(rows.member(process))
  return before && before.host !== host ? 'conflict' : undefined
}

/** Whether the newer grant takes the place of the one that is there. */
async function overrides(turn: Turn, before: MemberRow | undefined, grant: Grant): Promise<Reason | undefined> {
  if (!before) return undefined
  if (before.grant.id === grant.id) return undefined
  if (before.grant.from > grant.from) return 'older'
  if (before.grant.from === grant.from && before.grant.id > grant.id) return 'older'
  const signedByOwner = grant.parent === undefined
  return signedByOwner ? undefined : mayRule(turn.author, before.grant)
}

/** A revocation of a key or of one grant. Said twice it is one; the owner's word stays. */
export async function revoke(turn: Turn, name: string, reason: string | undefined): Promise<void> {
  const { author, at } = turn
  const before = await turn.get<RevokedRow>(rows.revoked(name))
  if (before && (before.owner || !author.owner)) return
  const row: RevokedRow = { at, by: author.key, owner: author.owner, ...(reason === undefined ? {} : { reason }) }
  await turn.put(rows.revoked(name), row)
}

export function logsOf(turn: Turn, member: Key): Promise<readonly Key[]> {
  return turn.get<readonly Key[]>(rows.writersOf(member)).then((logs) => logs ?? [])
}

/**
 * Takes a log out of those that may write. One that signs stays until the signers change: to have none, or two, would stop all; it is no
 * author any more either way.
 */
export async function removeLog(turn: Turn, log: Key): Promise<void> {
  const writer = await turn.get<WriterRow>(rows.writer(log))
  if (!writer) return
  if (!turn.base.indexers().includes(log)) await turn.base.removeWriter(log)
  await turn.put(rows.writer(log), { ...writer, removed: true })
  const rest = (await logsOf(turn, writer.member)).filter((each) => each !== log)
  await turn.put(rows.writersOf(writer.member), rest)
}

/** Whether the author has a say about a log: it is its own, or of somebody it has a say about. */
export async function rulesLog(turn: Turn, author: Author, writer: WriterRow): Promise<Reason | undefined> {
  if (author.owner || writer.member === author.key) return undefined
  const member = await turn.get<MemberRow>(rows.member(writer.member))
  return member ? mayRule(author, member.grant) : 'unknown'
}
