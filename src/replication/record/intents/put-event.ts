import b4a from 'b4a'
import crypto from 'hypercore-crypto'
import { EventSchema, Type } from '#model'
import { defineIntent, fields, NameSchema, SiteSchema } from '../intent.js'
import { atSite } from '../rules.js'
import type { FleetEvent } from '../shapes.js'
import { canonical } from '../signed.js'
import { rows } from '../view.js'

/**
 * Something that all should know: folded out of a worker's own feed by who watches it. Whoever else folds the same feed says the same, and
 * it is one row; version 1 did not say whose feed it was, and each was a row of its own.
 */
export const putEvent = defineIntent({
  op: 'putEvent',
  version: 2,
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
    await turn.put(rows.event(event.at, nameOf(row) ?? turn.origin), row)
    return undefined
  },
})

/** The same of one event, whoever folds it; undefined: nobody knows whose it is. */
function nameOf({ site, worker, type, deviceId, message }: FleetEvent): string | undefined {
  if (site === undefined || worker === undefined) return undefined
  const digest = crypto.hash(b4a.from(canonical([site, worker, type, deviceId ?? null, message])))
  return b4a.toString(digest.subarray(0, 16), 'hex')
}
