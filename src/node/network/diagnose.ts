import { fingerprintOf, type Key } from '#keys'
import { type Clock, SdkError } from '#model'
import { parseAddress } from './addresses.js'
import type { Peers } from './peers.js'
import { type Reach, type Unreachable, unreachable } from './reach.js'
import type { Wire } from './wire.js'

/** What `doctor` is told. */
export interface Diagnosis {
  readonly places: readonly PlaceDiagnosis[]
  readonly key?: KeyDiagnosis
}

export interface PlaceDiagnosis {
  readonly place: 'main' | 'site'
  /** The UDP address we have bound. */
  readonly bound: string | null
  /** How the DHT's nodes see us. */
  readonly seenAs: string | null
  /** `open`: everyone reaches us; `consistent`: holes can be punched; `random`: only towards better NATs, else through a relay. */
  readonly nat: 'open' | 'consistent' | 'random' | 'unknown'
  readonly online: boolean
  /** Nodes of the DHT that we know now. */
  readonly nodes: number
  /** ms to each bootstrap node; null: no answer. */
  readonly bootstrap: readonly { readonly address: string; readonly ms: number | null }[]
  /** Of the relay that we are for others, if we are one. */
  readonly relay: { readonly sessions: number; readonly pairs: number } | null
}

export interface KeyDiagnosis {
  readonly key: Key
  readonly state: 'self' | 'connected' | 'not-admitted' | 'timed-out' | Unreachable
  readonly words: string
}

interface DiagnoseOptions {
  readonly ownKey: Key
  readonly wires: readonly Wire[]
  readonly bootstrapOf: (wire: Wire) => readonly string[]
  readonly peers: Peers
  readonly reach: Reach
  readonly refuses: (key: Key) => string | undefined
  readonly clock: Clock
}

/** More bootstrap nodes are not asked. */
const maxAsked = 8

export async function diagnose(options: DiagnoseOptions, key: Key | undefined): Promise<Diagnosis> {
  const [places, about] = await Promise.all([
    Promise.all(options.wires.map((wire) => placeDiagnosis(wire, options))),
    key === undefined ? undefined : keyDiagnosis(key, options),
  ])
  return { places, ...(about ? { key: about } : {}) }
}

async function placeDiagnosis(wire: Wire, { clock, bootstrapOf }: DiagnoseOptions): Promise<PlaceDiagnosis> {
  const { dht, place, relay } = wire
  const bootstrap = await Promise.all(
    bootstrapOf(wire)
      .slice(0, maxAsked)
      .map(async (address) => {
        const started = clock.hr()
        const ms = await dht.ping(parseAddress(address)).then(
          () => clock.hr() - started,
          () => null,
        )
        return { address, ms }
      }),
  )
  const bound = dht.address()
  return {
    place,
    bound: bound && `${bound.host}:${bound.port}`,
    seenAs: dht.host === null ? null : `${dht.host}:${dht.port || '?'}`,
    nat: dht.remoteAddress() ? 'open' : dht.randomized ? 'random' : dht.host === null ? 'unknown' : 'consistent',
    online: bootstrap.some(({ ms }) => ms !== null) || (dht.online && dht.nodes.length > 0),
    nodes: dht.nodes.length,
    bootstrap,
    relay: relay?.stats() ?? null,
  }
}

async function keyDiagnosis(key: Key, options: DiagnoseOptions): Promise<KeyDiagnosis> {
  const { ownKey, peers, reach, refuses } = options
  if (key === ownKey) return { key, state: 'self', words: 'this is our own key' }
  const refused = refuses(key)
  if (refused !== undefined) return { key, state: 'not-admitted', words: `we do not let it in: ${refused}` }
  try {
    await reach(key)
    const peer = peers.describe(key)
    return { key, state: 'connected', words: `connected, ${peer?.via ?? 'direct'}` }
  } catch (error) {
    if (!(error instanceof SdkError)) throw error
    if (error.code === 'TIMEOUT') return { key, state: 'timed-out', words: error.message }
    const why = (error.details as { why?: Unreachable } | undefined)?.why ?? 'failed'
    return { key, state: why, words: `${fingerprintOf(key)}: ${unreachable[why]}` }
  }
}
