export * from './commander.js'
export * from './device-worker.js'
export * from './node.js'
export * from './scanner.js'
