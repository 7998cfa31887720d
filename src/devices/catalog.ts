import { containers } from './containers/index.js'
import type { Device } from './define.js'
import { miners } from './miners/index.js'
import { pools } from './pools/index.js'
import { powermeters } from './powermeters/index.js'
import { sensors } from './sensors/index.js'

/** Every device definition that is built in, kind by kind. */
export const devices: readonly Device[] = [...miners, ...containers, ...powermeters, ...sensors, ...pools]
