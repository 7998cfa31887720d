import { Type } from '#model'
import { defineIntent, fields, KeySchema } from '../intent.js'
import { needs } from '../rules.js'
import type { TopicRow } from '../shapes.js'
import { rows } from '../view.js'

/** Members meet elsewhere from now on: who does not get the record any more cannot know where. */
export const rotateTopic = defineIntent({
  op: 'rotateTopic',
  version: 1,
  schema: fields({ epoch: Type.Integer({ minimum: 1 }), salt: KeySchema }),
  may: needs('admin'),
  audit: ({ epoch }) => String(epoch),
  async apply(turn, { epoch, salt }) {
    const topic = await turn.get<TopicRow>(rows.topic)
    const isOlder = topic && (topic.epoch > epoch || (topic.epoch === epoch && topic.salt >= salt))
    if (isOlder) return 'older'
    const next: TopicRow = { epoch, salt }
    await turn.put(rows.topic, next)
    return undefined
  },
})
