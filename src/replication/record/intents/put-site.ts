import { Type } from '#model'
import { defineIntent, fields, SiteSchema } from '../intent.js'
import { atSite } from '../rules.js'
import { isNewer } from '../services.js'
import type { SiteRow } from '../shapes.js'
import { rows } from '../view.js'

/** The totals of a site, for those who do not hold its feeds. null is unknown. At a human rate: every few minutes. */
export const putSite = defineIntent({
  op: 'putSite',
  version: 1,
  schema: fields({
    site: SiteSchema,
    totals: Type.Record(Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' }), Type.Union([Type.Number(), Type.Null()]), {
      maxProperties: 200,
    }),
  }),
  may: (author, { site }) => atSite(site)(author),
  async apply(turn, { site, totals }) {
    const row: SiteRow = { site, at: turn.at, by: turn.author.key, totals }
    if (isNewer(await turn.get<SiteRow>(rows.site(site)), row)) return 'older'
    await turn.put(rows.site(site), row)
    return undefined
  },
})
