/** Contracts, and how they are served, called and guarded. */
export * from './channel.js'
export * from './client.js'
export * from './contract.js'
export * from './contracts/index.js'
export * from './guard.js'
export * from './local.js'
export { defaultTimeoutMs, maxTimeoutMs, serve } from './serve.js'
export {
  decodeReply,
  decodeRequest,
  encodeError,
  encodeRequest,
  encodeValue,
  maxMessageBytes,
  methodOf,
} from './wire.js'
