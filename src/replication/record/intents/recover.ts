import { Type } from '#model'
import { defineIntent, fields, KeySchema } from '../intent.js'
import { anyWriter } from '../rules.js'
import type { WriterRow } from '../shapes.js'
import { rows } from '../view.js'

/**
 * Those who signed are lost for good: others sign from here on. Signed by the owner, brought by any writer. `system` and `length`: up to
 * where the lost ones had signed, as `recovery` of the record says.
 */
export const recover = defineIntent({
  op: 'recover',
  version: 1,
  schema: fields({
    logs: Type.Union([
      Type.Array(KeySchema, { minItems: 1, maxItems: 1 }),
      Type.Array(KeySchema, { minItems: 3, maxItems: 3, uniqueItems: true }),
    ]),
    system: KeySchema,
    length: Type.Integer({ minimum: 1 }),
  }),
  may: anyWriter,
  audit: ({ logs }) => logs.join(),
  async apply(turn, { logs, system, length }) {
    if (turn.author.key !== turn.fleet?.root) return 'signature'
    for (const log of logs) {
      const writer = await turn.get<WriterRow>(rows.writer(log))
      if (!writer || writer.removed || !(await turn.base.written(log))) return 'unknown'
    }
    // A fork to a log that the signed state does not know would fail, at every peer and for ever.
    for (const log of logs) if (!(await turn.base.signed(log, length))) return 'unsigned'
    // After the fork all that was not signed is taken in again, this block too: then it is done already.
    const done = same(turn.base.indexers(), logs)
    if (!done && !(await turn.base.fork(logs, system, length))) return 'conflict'
    await turn.put(rows.indexers, logs)
    return undefined
  },
})

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each) => b.includes(each))
}
