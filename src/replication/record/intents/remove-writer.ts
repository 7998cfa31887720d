import { defineIntent, fields, KeySchema } from '../intent.js'
import { removeLog, rulesLog } from '../membership.js'
import { anyWriter } from '../rules.js'
import type { WriterRow } from '../shapes.js'
import { rows } from '../view.js'

/** A log writes no more: its disk is lost, or its member does something else. What signs must be replaced first. */
export const removeWriter = defineIntent({
  op: 'removeWriter',
  version: 1,
  schema: fields({ log: KeySchema }),
  may: anyWriter,
  audit: ({ log }) => log,
  async apply(turn, { log }) {
    const writer = await turn.get<WriterRow>(rows.writer(log))
    if (!writer || writer.removed) return 'unknown'
    const forbidden = await rulesLog(turn, turn.author, writer)
    if (forbidden) return forbidden
    if (turn.base.indexers().includes(log)) return 'conflict'
    await removeLog(turn, log)
    return undefined
  },
})
