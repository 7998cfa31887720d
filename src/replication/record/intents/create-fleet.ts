import { GrantSchema, type Key, roles, verifyGrant } from '#keys'
import { SdkError } from '#model'
import { defineIntent, type Fleet, fields, KeySchema, NameSchema } from '../intent.js'
import { anyWriter } from '../rules.js'
import type { MemberRow, TopicRow, WriterRow } from '../shapes.js'
import { rows } from '../view.js'

/**
 * The first block of a record: names the fleet's root and its first member that writes, by a grant that the root signed. Its log is the
 * record's own first log, so that nobody else can write it.
 */
export const createFleet = defineIntent({
  op: 'createFleet',
  version: 1,
  genesis: true,
  schema: fields({
    root: KeySchema,
    name: NameSchema,
    member: NameSchema,
    grant: GrantSchema,
    /** 32 random bytes of the first topic. */
    salt: KeySchema,
  }),
  may: anyWriter,
  audit: ({ root }) => root,
  async apply(turn, { root, name, member, grant, salt }) {
    if (turn.fleet) return 'conflict'
    try {
      const held = verifyGrant(grant, { fleet: root, now: turn.at, revoked: () => false })
      if (!roles[held.role].record) return 'role'
    } catch (error) {
      if (error instanceof SdkError) return 'grant'
      throw error
    }
    const key: Key = grant.subject
    const fleet: Fleet = { root, name, at: turn.at }
    const first: MemberRow = { key, name: member, grant, at: turn.at }
    const writer: WriterRow = { member: key, at: turn.at }
    const topic: TopicRow = { epoch: 0, salt }
    await turn.put(rows.fleet, fleet)
    await turn.put(rows.member(key), first)
    await turn.put(rows.writer(turn.log), writer)
    await turn.put(rows.writersOf(key), [turn.log])
    await turn.put(rows.indexers, [turn.log])
    await turn.put(rows.topic, topic)
    return undefined
  },
})
