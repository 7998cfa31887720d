import { EventSchema, Type } from '#model'
import { defineIntent, fields, NameSchema, SiteSchema } from '../intent.js'
import { atSite } from '../rules.js'
import type { FleetEvent } from '../shapes.js'
import { rows } from '../view.js'

/** Something that all should know: folded out of a worker's own feed by who watches it. */
export const putEvent = defineIntent({
  op: 'putEvent',
  version: 1,
  schema: fields({ event: EventSchema, site: Type.Optional(SiteSchema), worker: Type.Optional(NameSchema) }),
  may: (author, { site }) => atSite(site)(author),
  async apply(turn, { event, site, worker }) {
    // The time of the event orders it among others; one from before our reckoning, or never, has no place.
    if (!Number.isSafeInteger(event.at) || event.at < 0 || event.at > 999_999_999_999_999) return 'malformed'
    const row: FleetEvent = {
      ...event,
      ...(site === undefined ? {} : { site }),
      ...(worker === undefined ? {} : { worker }),
    }
    await turn.put(rows.event(event.at, turn.origin), row)
    return undefined
  },
})
