/** The services that do the work: they read and command devices, find them, and carry out commands to many. */
import type { Device } from '#devices'
import type { Service } from '#node'
import type { OpenStore } from '#replication'
import { aggregator } from './aggregator/index.js'
import { commander } from './commander/index.js'
import { deviceWorker } from './device/index.js'
import { devicesOf } from './libraries.js'
import { librarian, type Shelf } from './library/index.js'
import { scanner } from './scan/index.js'

export { commander } from './commander/index.js'
export {
  acceptsType,
  type DeviceWorkerConfig,
  DeviceWorkerConfigSchema,
  defaultIntervalMs,
  deviceWorker,
  workerEntryProblems,
  workerEntryRules,
} from './device/index.js'
export { type Library, libraries } from './libraries.js'
export { createShelf, type Shelf, type ShelfOptions } from './library/index.js'
export { maxAddresses, parseRanges, type ScanOptions, scanner, scanOnce } from './scan/index.js'

/**
 * Every service of this room, for these device definitions; with a shelf also the librarian, who adds to it. `open`: another backend for
 * their histories; what it opens is read in this process alone, unless it is a feed.
 */
export function workerServices(source: readonly Device[] | Shelf, open?: OpenStore): readonly Service[] {
  const shelf = 'builtIn' in source ? source : undefined
  const devices = () => (shelf ? shelf.devices : (source as readonly Device[]))
  const worker = deviceWorker(shelf ? shelf.find : async (lib) => devicesOf(devices(), lib), open)
  return [worker, scanner(devices), commander(open), aggregator, ...(shelf ? [librarian(shelf, worker)] : [])]
}
