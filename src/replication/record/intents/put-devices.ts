import { Type } from '#model'
import { maxPages, maxPageText } from '../devices.js'
import { defineIntent, fields, KeySchema, NameSchema } from '../intent.js'
import { anyWriter, atSite } from '../rules.js'
import { isNewer } from '../services.js'
import type { DevicesRow, ServiceRow } from '../shapes.js'
import { rows } from '../view.js'

/**
 * One page of a worker's inventory: which devices it has and where they stand, packed (`packDevices`), so that a million of them are some
 * hundred rows. Only pages that changed are written again.
 */
export const putDevices = defineIntent({
  op: 'putDevices',
  version: 1,
  schema: fields({
    member: KeySchema,
    service: NameSchema,
    page: Type.Integer({ minimum: 0, maximum: maxPages - 1 }),
    pages: Type.Integer({ minimum: 1, maximum: maxPages }),
    count: Type.Integer({ minimum: 0 }),
    data: Type.String({ maxLength: maxPageText }),
  }),
  may: anyWriter,
  async apply(turn, { member, service, page, ...rest }) {
    if (page >= rest.pages) return 'malformed'
    const known = await turn.get<ServiceRow>(rows.service(member, service))
    if (!known) return 'unknown'
    const forbidden = atSite(known.site)(turn.author)
    if (forbidden) return forbidden
    const key = rows.devicePage(member, service, page)
    const row: DevicesRow = { at: turn.at, ...rest }
    if (isNewer(await turn.get<DevicesRow>(key), row)) return 'older'
    await turn.put(key, row)
    return undefined
  },
})
