import type { Duplex } from 'node:stream'
import { bytesOf, type Key, type KeyPair } from '#keys'
import type { Clock } from '#model'
import { type Base, hexOf } from './base.js'
import { type Beacon, readBeacon, signBeacon, writeBeacon } from './beacon.js'

const protocol = 'miningsdk/record/1'
/** A peer that says more than this many times a second is not listened to. */
const leastMs = 1000
const maxHeard = 64

/** What is used of the multiplexer that every stream of the replication carries. */
interface Mux {
  pair(of: { protocol: string; id: Uint8Array }, open: () => void): void
  createChannel(options: {
    protocol: string
    id: Uint8Array
    messages: { onmessage: (bytes: Uint8Array) => void }[]
    onopen: () => void
    onclose: () => void
  }): { messages: [{ send(bytes: Uint8Array): void }]; open(): void; close(): void } | null
}
type Channel = NonNullable<ReturnType<Mux['createChannel']>>

/** Since when nobody may have written what is not here. Who writes the record knows by itself; others by what writers vouch for. */
export class Currency {
  #current: number | null
  /** The newest of each who signed one, whether or not we know it yet as one who may, or have its heads. */
  readonly #heard = new Map<Key, Beacon>()
  #vain = 0
  #closed = false
  readonly #channels = new Set<Channel>()
  readonly #options: Options
  #stop: () => void = () => undefined

  constructor(options: Options, current: number | null) {
    this.#options = options
    this.#current = current
    this.#beat()
  }

  /** ms; null: never. */
  get at(): number | null {
    return this.#vouches() ? this.#options.clock.now() : this.#current
  }

  get ignored(): number {
    return this.#vain
  }

  attach(stream: Duplex): void {
    const mux = (stream as unknown as { noiseStream: { userData: Mux } }).noiseStream.userData
    const id = this.#options.base.discoveryKey
    const open = () => {
      let last = Number.NEGATIVE_INFINITY
      const channel = mux.createChannel({
        protocol,
        id,
        messages: [
          {
            onmessage: (bytes) => {
              const now = this.#options.clock.hr()
              if (now - last < leastMs) {
                this.#vain++
                return
              }
              last = now
              this.#hear(bytes)
            },
          },
        ],
        onopen: () => {
          const beacon = this.#newest()
          if (!channel || !beacon) return
          channel.messages[0].send(writeBeacon(beacon))
        },
        onclose: () => channel && this.#channels.delete(channel),
      })
      if (!channel || this.#closed) return
      this.#channels.add(channel)
      channel.open()
    }
    mux.pair({ protocol, id }, open)
    open()
  }

  /** The view has changed: what was vouched for may be here now, and who vouched may be known. */
  async look(): Promise<void> {
    for (const beacon of this.#heard.values()) {
      if (beacon.at <= (this.#current ?? -1) || !this.#options.maySpeak(beacon.by)) continue
      if (await this.#here(beacon)) this.#current = Math.max(this.#current ?? 0, beacon.at)
    }
  }

  async #here({ heads }: Beacon): Promise<boolean> {
    for (const { log, length } of heads) {
      const known = await this.#options.base.system?.get(bytesOf(log))
      if (!known || known.length < length) return false
    }
    return true
  }

  #hear(bytes: Uint8Array): void {
    const { base, clock } = this.#options
    const beacon = readBeacon(bytes, hexOf(base.key), clock.now())
    if (!beacon) {
      this.#vain++
      return
    }
    if (beacon.at <= (this.#heard.get(beacon.by)?.at ?? -1)) return
    this.#heard.delete(beacon.by)
    this.#heard.set(beacon.by, beacon)
    // Those who may speak are few: who does not, and has not spoken for longest, goes first.
    const [oldest] = [...this.#heard.keys()].filter((key) => !this.#options.maySpeak(key))
    if (this.#heard.size > maxHeard && oldest !== undefined) this.#heard.delete(oldest)
    this.look().catch(() => undefined)
  }

  #vouches(): boolean {
    return this.#options.member !== undefined && this.#options.writable()
  }

  #newest(): Beacon | undefined {
    const { base, clock, member } = this.#options
    if (!member || !this.#vouches()) {
      const known = [...this.#heard.values()].filter(({ by }) => this.#options.maySpeak(by))
      return known.reduce<Beacon | undefined>(
        (newest, each) => (newest && newest.at >= each.at ? newest : each),
        undefined,
      )
    }
    const heads = (base.system?.heads ?? []).map(({ key, length }) => ({ log: hexOf(key), length }))
    return signBeacon(hexOf(base.key), clock.now(), heads, member)
  }

  #beat(): void {
    this.#stop = this.#options.clock.after(this.#options.everyMs, () => {
      const beacon = this.#channels.size > 0 ? this.#newest() : undefined
      if (beacon) for (const channel of this.#channels) channel.messages[0].send(writeBeacon(beacon))
      this.#beat()
    })
  }

  close(): void {
    this.#closed = true
    this.#stop()
    for (const channel of [...this.#channels]) channel.close()
  }
}

interface Options {
  readonly base: Base
  readonly clock: Clock
  readonly everyMs: number
  readonly member: KeyPair | undefined
  readonly writable: () => boolean
  /** Whether this member's role writes the record, and it is not revoked. */
  readonly maySpeak: (member: Key) => boolean
}
