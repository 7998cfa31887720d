import type { DhtNodes, DhtNodesOptions } from './bootstrap.js'
import type { DialOptions } from './door.js'
import type { Network } from './network.js'
import type { NetworkOptions } from './options.js'

export type { NoiseStream } from 'hyperdht'
export type { DhtNodes, DhtNodesOptions } from './bootstrap.js'
export type { Diagnosis, KeyDiagnosis, PlaceDiagnosis } from './diagnose.js'
export type { DialOptions, DoorOptions } from './door.js'
export type { Network } from './network.js'
export type { NetworkOptions, Place, RelayOptions } from './options.js'
export type { OnPeer, Peer } from './peer.js'
export { defaultTimings, type Timings } from './timings.js'
export { topicOf } from './topic.js'

/**
 * Meets the other members: one authenticated connection for each, over one or two DHTs. Does not wait for anybody: a DHT that cannot be
 * reached now is tried on. Throws CONFIG_INVALID, PORT_IN_USE, UNAVAILABLE (the address cannot be bound), STORE_FAILED.
 */
export async function openNetwork(options: NetworkOptions): Promise<Network> {
  // Loaded on demand: a site without a fleet has no use for the stack and its native parts.
  return (await import('./open.js')).open(options)
}

/** A stream to a door of another node, and how to let go of it; see `Network.listen`. */
export async function dialDoor(options: DialOptions) {
  return (await import('./door.js')).dialDoor(options)
}

/** The site's own DHT: nodes at addresses that stay. Throws PORT_IN_USE. */
export async function bootstrapNodes(options: DhtNodesOptions): Promise<DhtNodes> {
  return (await import('./bootstrap.js')).bootstrapNodes(options)
}
