/** A peer put together: configuration, supervised services, their directory, its lifetime. */

export { createLog, type LogLevel, type LogOptions, logLevels } from './log.js'
export { createNode, defaultLimits, namePattern } from './node.js'
export { createScope, type Ending, type OwnedScope } from './scope.js'
export * from './service.js'
export { closeOnSignals, type SignalWatch } from './signals.js'
export { version } from './version.js'
