/** The services that do the work: they read and command devices, find them, and carry out commands to many. */
import type { Device } from '#devices'
import type { Service } from '#node'
import { aggregator } from './aggregator/index.js'
import { commander } from './commander/index.js'
import { deviceWorker } from './device/index.js'
import { scanner } from './scan/index.js'

export { commander } from './commander/index.js'
export {
  acceptsType,
  type DeviceWorkerConfig,
  DeviceWorkerConfigSchema,
  deviceWorker,
  workerEntryProblems,
  workerEntryRules,
} from './device/index.js'
export { type Library, libraries } from './libraries.js'
export { maxAddresses, parseRanges, type ScanOptions, scanner, scanOnce } from './scan/index.js'

/** Every service of this room, for these device definitions. */
export function workerServices(devices: readonly Device[]): readonly Service[] {
  return [deviceWorker(devices), scanner(devices), commander(), aggregator]
}
