import type { Fields } from '../json.js'
import type { WhatsminerState } from './state.js'

/** Style 1, as cgminer writes it. */
export function cgminerStyle(
  state: WhatsminerState,
  code: number,
  text: string,
  section: string,
  items: unknown[],
): Fields {
  const description = state.row.legacy ? 'cgminer 4.9.2' : 'btminer'
  const status = { STATUS: 'S', When: state.when, Code: code, Msg: text, Description: description }
  return { STATUS: [status], [section]: items, id: 1 }
}

/** Style 2: `get_*`, `status` and all writes; errors too. */
export function apiStyle(state: WhatsminerState, msg: unknown, code = 131, status: 'S' | 'E' = 'S'): Fields {
  return { STATUS: status, When: state.when, Code: code, Msg: msg, Description: '' }
}

/** True if this firmware speaks v3 and serves v2 only for old clients, with fewer fields. */
export const isCompat = (state: WhatsminerState) => state.row.apiV3 !== undefined
