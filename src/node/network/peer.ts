import type { Duplex } from 'node:stream'
import type { Key } from '#keys'

export interface Peer {
  readonly key: Key
  /** Through a member that passes on what it cannot read. */
  readonly via: 'direct' | 'relayed'
  /** Over which of the two networks. */
  readonly place: 'main' | 'site'
  /** null: not measured yet. */
  readonly rttMs: number | null
  readonly since: number
  readonly remoteHost: string | null
  readonly remotePort: number | null
  readonly bytes: { readonly read: number; readonly written: number }
}

/** Called for each peer, those already there too; what it answers is called when the peer is gone. */
export type OnPeer = (key: Key, stream: Duplex) => (() => void) | undefined
