import type { Device } from '../define.js'
import { antminerStock } from './antminer.js'
import { whatsminer } from './whatsminer.js'
import { whatsminerV3 } from './whatsminer-v3.js'

/** Every miner definition there is; what is listed here is scanned for, read and commanded. */
export const miners: readonly Device[] = [antminerStock, whatsminer, whatsminerV3]
