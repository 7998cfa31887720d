import type { Duplex } from 'node:stream'
import { bytesOf, type Key, type KeyPair, keyOf } from '#keys'
import type { Clock } from '#model'
import { type Base, hexOf } from './base.js'
import { type Beacon, isGenuine, maxBeacons, readBeacons, signBeacon, writeBeacons } from './beacon.js'

const protocol = 'miningsdk/record/2'
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

/**
 * Since when nobody may have written what is not here. The only one who writes the record knows by itself; one of several by the word of any
 * other of them; who only reads, by what they vouch for, which is as old as their own copies are.
 */
export class Currency {
  #current: number | null
  /** Who else writes, since the view was last looked at. */
  #others: readonly Key[] | undefined
  /** The newest of each who signed one, whether or not we know it yet as one who may, or have its heads. */
  readonly #heard = new Map<Key, Beacon>()
  #taken = 0
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
    if (!this.#vouches()) return this.#current
    const others = this.#others ?? this.#options.others()
    return others?.length === 0 ? this.#options.clock.now() : this.#current
  }

  stats(): Record<string, number> {
    return { beaconsHeard: this.#taken, beaconsIgnored: this.#vain }
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
          const beacons = this.#newest()
          if (channel && beacons.length > 0) channel.messages[0].send(writeBeacons(beacons))
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
    // Whoever was alone until now was current until now.
    this.#current = this.at
    this.#others = this.#options.others()
    for (const beacon of this.#heard.values()) {
      const until = this.#saysOf(beacon)
      if (until <= (this.#current ?? -1) || !this.#options.maySpeak(beacon.by)) continue
      if (await this.#here(beacon)) this.#current = Math.max(this.#current ?? 0, until)
    }
  }

  /** Until when a copy with the same ends is current. Two who write and hear each other miss nothing of each other. */
  #saysOf({ at, current }: Beacon): number {
    return this.#vouches() ? at : (current ?? -1)
  }

  async #here({ heads }: Beacon): Promise<boolean> {
    for (const { log, length } of heads) {
      const known = await this.#options.base.system?.get(bytesOf(log))
      if (!known || known.length < length) return false
    }
    return true
  }

  #hear(bytes: Uint8Array): void {
    const { base, clock, member } = this.#options
    const beacons = readBeacons(bytes, clock.now())
    if (beacons) this.#taken++
    else this.#vain++
    const own = member && keyOf(member)
    const isNews = ({ by, at }: Beacon) => by !== own && at > (this.#heard.get(by)?.at ?? -1)
    for (const beacon of beacons ?? []) {
      if (!isNews(beacon)) continue
      if (isGenuine(hexOf(base.key), beacon)) this.#take(beacon)
      else this.#vain++
    }
    this.look().catch(() => undefined)
  }

  #take(beacon: Beacon): void {
    this.#heard.delete(beacon.by)
    this.#heard.set(beacon.by, beacon)
    // Those who may speak are few: who does not, and has not spoken for longest, goes first.
    const [oldest] = [...this.#heard.keys()].filter((key) => !this.#options.maySpeak(key))
    if (this.#heard.size > maxHeard && oldest !== undefined) this.#heard.delete(oldest)
  }

  #vouches(): boolean {
    return this.#options.member !== undefined && this.#options.writable()
  }

  /** The own word, and the newest of others: through who only reads, two who write hear each other. */
  #newest(): readonly Beacon[] {
    const { base, clock, member, maySpeak } = this.#options
    const known = [...this.#heard.values()].filter(({ by }) => maySpeak(by)).sort((a, b) => b.at - a.at)
    if (!member || !this.#vouches()) return known.slice(0, maxBeacons)
    const heads = (base.system?.heads ?? []).map(({ key, length }) => ({ log: hexOf(key), length }))
    const own = signBeacon(hexOf(base.key), { at: clock.now(), current: this.at, heads }, member)
    return [own, ...known].slice(0, maxBeacons)
  }

  #beat(): void {
    this.#stop = this.#options.clock.after(this.#options.everyMs, () => {
      const beacons = this.#channels.size > 0 ? this.#newest() : []
      const bytes = writeBeacons(beacons)
      if (beacons.length > 0) for (const channel of this.#channels) channel.messages[0].send(bytes)
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
  /** The other members of such a role whose logs the record takes in; undefined: nothing of the record is here yet. */
  readonly others: () => readonly Key[] | undefined
}
