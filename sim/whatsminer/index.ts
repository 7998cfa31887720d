import type { WhatsminerRow } from '../hardware.js'
import type { Simulator } from '../server.js'
import { type WhatsminerOptions, WhatsminerState } from './state.js'
import { doorV2 } from './v2.js'
import { doorV3 } from './v3.js'

export { factoryPassword, simulatedPassword, type WhatsminerOptions, WhatsminerState } from './state.js'

/** A Whatsminer of this row: API v2 on 4028, and v3 on 4433 if its firmware has it. */
export function whatsminer(row: WhatsminerRow, options: WhatsminerOptions): Simulator & { state: WhatsminerState } {
  const state = new WhatsminerState(row, options)
  return { machine: state.machine, state, doors: row.apiV3 ? [doorV2(state), doorV3(state)] : [doorV2(state)] }
}
