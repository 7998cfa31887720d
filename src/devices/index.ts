/** What we know of devices. */
export * from './define.js'
export * from './io.js'
