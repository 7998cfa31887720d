/** What we know of devices. */
export * from './define.js'
export * from './execute.js'
export * from './identify.js'
export * from './io.js'
export * as whatsminerCrypto from './kit/whatsminer-crypto.js'
export * from './miners/index.js'
export * from './observation.js'
export * from './observe.js'
