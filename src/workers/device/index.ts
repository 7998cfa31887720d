export { acceptsType } from './accepts.js'
export { defaultIntervalMs, workerEntryProblems, workerEntryRules } from './config.js'
export { type DeviceWorkerConfig, DeviceWorkerConfigSchema, deviceWorker } from './service.js'
