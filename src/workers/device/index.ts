export { acceptsType } from './accepts.js'
export { type DeviceWorkerConfig, DeviceWorkerConfigSchema, deviceWorker } from './service.js'
