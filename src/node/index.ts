/** A peer put together: configuration, supervised services, their directory, its lifetime. */

export { type ChildOptions, childProcess } from './child.js'
export {
  configFileName,
  configJsonSchema,
  effectiveConfig,
  loadConfig,
  type Runtime,
  readConfig,
  runtimes,
  type SiteConfig,
} from './config.js'
export type { ConfigKind, ServiceEntry } from './entries.js'
export { type Bootstrap, type Env, logLevelOf, type Mode, modes, secretOf } from './environment.js'
export { type JsonFile, jsonFile } from './json-file.js'
export { type LineFile, openLines } from './line-file.js'
export { lockFolder } from './lock.js'
export { createLog, type LogLevel, type LogOptions, logLevels, readableLine } from './log.js'
export {
  createFleet,
  type FleetPlan,
  type JoinPlan,
  joinFleet,
  type KnownFeed,
  loadGrant,
  loadMembership,
  type Membership,
  type MeshOptions,
  mainProcess,
  type RestoredFeed,
  type RestorePlan,
  restoreFeeds,
  type Sibling,
  trustRecordCopy,
} from './mesh/index.js'
export { namePattern } from './names.js'
export * from './network/index.js'
export { createNode, defaultLimits } from './node.js'
export {
  type Connection,
  connect,
  type Monitor,
  memberOf,
  openMonitor,
  type PeerOptions,
  refuseOthers,
  siteOf,
} from './peer.js'
export { dht, monitor } from './roles.js'
export { createScope, type Ending, type OwnedScope } from './scope.js'
export * from './service.js'
export { closeOnSignals, type SignalOptions, type SignalWatch } from './signals.js'
export { version } from './version.js'
