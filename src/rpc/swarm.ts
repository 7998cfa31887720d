import type RPC from '@hyperswarm/rpc'
import b4a from 'b4a'
import type { Key } from '#keys'
import { type Clock, type ErrorCode, type Log, SdkError, silentLog, systemClock } from '#model'
import type { Caller, Endpoint } from './contract.js'
import { createDesk } from './swarm/desk.js'
import { framesOf } from './swarm/frames.js'
import { createHall } from './swarm/hall.js'
import { type PoolLimits, poolLimits, type ServerLimits, serverLimits } from './swarm/limits.js'
import type { KeyPair, RpcNetwork } from './swarm/network.js'
import { createPool, type SwarmPool } from './swarm/pool.js'
import { type Reason, refusals } from './swarm/refusals.js'

/** RPC between nodes, over the Noise connections of a DHT. The only file that knows @hyperswarm/rpc. */

interface Parts {
  readonly network: RpcNetwork
  /** Who this node is. */
  readonly keyPair: KeyPair
  readonly clock?: Clock
  readonly log?: Log
}

export interface SwarmServerOptions extends Parts {
  readonly limits?: Partial<ServerLimits>
  /** Who a key is and what it may, or why it may nothing. Looked up at every call: what it says holds at once, on open connections too. */
  readonly callerOf: (key: Key) => Caller | SdkError
  /** Told of every connection and call that was refused, or ended for cause. */
  readonly onRefused?: (reason: Reason, key: Key) => void
  /** The guarded endpoint of a service of this node. */
  readonly resolve: (contract: string, service: string) => Endpoint | undefined
}

export interface SwarmServerStats {
  readonly connections: number
  readonly peers: number
  readonly callsInFlight: number
  readonly callsQueued: number
  /** Since the beginning: all calls, those that were answered with an error by its code, and refusals by reason. */
  readonly calls: number
  readonly errors: Partial<Record<ErrorCode, number>>
  readonly refused: Readonly<Record<Reason, number>>
}

export interface SwarmServer {
  stats(): SwarmServerStats
  /** Ends the connections of a key. */
  drop(key: Key): void
  close(): Promise<void>
}

/** Loaded when the mesh is used: with its natives it costs more than everything else at a start. */
async function load() {
  const [{ default: RPC }, { fingerprintOf }] = await Promise.all([import('@hyperswarm/rpc'), import('#keys')])
  return { RPC, fingerprintOf }
}

/** Answers the calls of other nodes; resolves when it can be reached. */
export async function swarmServer(options: SwarmServerOptions): Promise<SwarmServer> {
  const { network, keyPair, clock = systemClock, log = silentLog, callerOf, resolve } = options
  const { RPC, fingerprintOf } = await load()
  const limits = { ...serverLimits, ...options.limits }
  const refused = refusals({ clock, log, label: fingerprintOf, told: options.onRefused })
  const desk = createDesk({ clock, limits, refused, callerOf, resolve })
  const hall = createHall({ clock, limits, refused, desk, callerOf, shared: network.shared ?? false })
  const rpc = new RPC({ dht: network, keyPair })
  const server = rpc.createServer({ firewall: hall.refuses })
  server.on('connection', hall.admit)
  await server.listen(keyPair)
  return {
    stats: () => ({ ...hall.stats(), ...desk.stats(), refused: refused.counts() }),
    drop: hall.drop,
    async close() {
      hall.close()
      await server.close()
      await rpc.destroy({ force: true })
    },
  }
}

export interface SwarmPoolOptions extends Parts {
  readonly limits?: Partial<PoolLimits>
  readonly random?: () => number
}

/** Calls other nodes: one connection a peer, made when needed. */
export function swarmPool(options: SwarmPoolOptions): SwarmPool {
  const { network, keyPair, clock = systemClock, random = Math.random } = options
  const limits = { ...poolLimits, ...options.limits }
  let loading: Promise<RPC> | undefined
  let nameOf = (key: Key) => `the peer ${key}`
  const rpc = () => {
    loading ??= load().then(({ RPC, fingerprintOf }) => {
      nameOf = (key) => `the peer ${fingerprintOf(key)}`
      return new RPC({ dht: network, keyPair })
    })
    return loading
  }
  return createPool({
    clock,
    random,
    limits,
    nameOf: (key) => nameOf(key),
    async dial(key, use) {
      const channel = (await rpc()).connect(b4a.from(key, 'hex'), { keyPair }).rpc
      let why = 'the connection was closed'
      channel.stream.on('error', (error) => {
        why = error.code ?? error.message
      })
      const opened = new Promise<void>((resolve, reject) => {
        channel.on('open', () => resolve())
        channel.on('close', () => reject(new SdkError('UNAVAILABLE', why)))
      })
      // Where the connection is for RPC alone, nobody sends longer messages than ours may be.
      if (!network.shared)
        channel.stream.on('handshake', () => framesOf(channel.stream, limits.replyBytes, () => channel.destroy()))
      use(channel)
      return opened
    },
    async onClose() {
      await (await loading)?.destroy({ force: true })
    },
  })
}
