import { Type } from '#model'
import { defineIntent, fields, KeySchema } from '../intent.js'
import { needs } from '../rules.js'
import type { WriterRow } from '../shapes.js'
import { rows } from '../view.js'

/**
 * Which logs sign the view: one, or three at once. Never two, of which both would be needed: so those who come and those who go are said in
 * one word. Who comes must have written: one that never did would be waited for.
 */
export const setIndexers = defineIntent({
  op: 'setIndexers',
  version: 1,
  schema: fields({
    logs: Type.Union([
      Type.Array(KeySchema, { minItems: 1, maxItems: 1 }),
      Type.Array(KeySchema, { minItems: 3, maxItems: 3, uniqueItems: true }),
    ]),
  }),
  may: needs('admin'),
  audit: ({ logs }) => logs.join(),
  async apply(turn, { logs }) {
    const before = turn.base.indexers()
    const coming = logs.filter((log) => !before.includes(log))
    const going = before.filter((log) => !logs.includes(log))
    for (const log of logs) {
      const writer = await turn.get<WriterRow>(rows.writer(log))
      if (!writer || writer.removed) return 'unknown'
      if (!(await turn.base.written(log))) return 'conflict'
    }
    for (const log of coming) await turn.base.addWriter(log, true)
    for (const log of going) {
      const writer = await turn.get<WriterRow>(rows.writer(log))
      // Who still may write goes on writing; who was revoked stayed only to sign.
      if (writer && !writer.removed) await turn.base.addWriter(log, false)
      else await turn.base.removeWriter(log)
    }
    await turn.put(rows.indexers, logs)
    return undefined
  },
})
