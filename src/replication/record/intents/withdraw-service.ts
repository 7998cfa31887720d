import { defineIntent, fields, KeySchema, NameSchema } from '../intent.js'
import { anyWriter, atSite } from '../rules.js'
import { putService } from '../services.js'
import type { ServiceRow } from '../shapes.js'
import { rows } from '../view.js'

/** A service is no more. Its row stays, so that an older announcement that comes late does not bring it back. */
export const withdrawService = defineIntent({
  op: 'withdrawService',
  version: 1,
  schema: fields({ member: KeySchema, name: NameSchema }),
  may: anyWriter,
  async apply(turn, { member, name }) {
    const service = await turn.get<ServiceRow>(rows.service(member, name))
    const forbidden = atSite(service?.site)(turn.author)
    if (forbidden) return forbidden
    const gone: ServiceRow = { member, name, kind: service?.kind ?? name, contracts: [], at: turn.at, withdrawn: true }
    return putService(turn, gone)
  },
})
