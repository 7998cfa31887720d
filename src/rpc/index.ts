/** Contracts, and how they are served, called and guarded. */
export * from './channel.js'
export * from './client.js'
export * from './contract.js'
export * from './contracts/index.js'
export * from './failover.js'
export * from './guard.js'
export * from './local.js'
export { defaultTimeoutMs, maxTimeoutMs, serve } from './serve.js'

export type { PoolLimits, ServerLimits } from './swarm/limits.js'
export type { KeyPair, NoiseStream, RpcNetwork } from './swarm/network.js'
export type { PeerStats } from './swarm/peer.js'
export type { SwarmPool } from './swarm/pool.js'
export type { Reason } from './swarm/refusals.js'
export * from './swarm.js'
export {
  decodeReply,
  decodeRequest,
  encodeError,
  encodeRequest,
  encodeValue,
  maxMessageBytes,
  methodOf,
} from './wire.js'
