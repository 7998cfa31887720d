/** What we know of devices. */
export * from './define.js'
export * from './execute.js'
export * from './identify.js'
export * from './io.js'
export * from './observe.js'
