import type { Duplex } from 'node:stream'
import { bytesOf, type Key, type KeyPair } from '#keys'
import type { Clock } from '#model'
import { type Base, hexOf } from './base.js'
import { type Beacon, readBeacon, signBeacon, writeBeacon } from './beacon.js'

const protocol = 'miningsdk/record/1'
/** A peer that says more than this many times a second is not listened to. */
const leastMs = 1000

/** What is used of the multiplexer that every stream of the replication carries. */
interface Mux {
  pair(of: { protocol: string; id: Uint8Array }, open: () => void): void
  createChannel(options: {
    protocol: string
    id: Uint8Array
    messages: { onmessage: (bytes: Uint8Array) => void }[]
    onopen: () => void
    onclose: () => void
  }): { messages: [{ send(bytes: Uint8Array): void }]; open(): void } | null
}

/** Since when nobody may have written what is not here. Who writes the record knows by itself; others by what writers vouch for. */
export class Currency {
  #current: number | null
  /** The newest that is genuine, whether or not its heads are here yet. */
  #best: Beacon | undefined
  #vain = 0
  readonly #send = new Set<(bytes: Uint8Array) => void>()
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
              if (now - last < leastMs) this.#vain++
              else this.#hear(bytes)
              last = now
            },
          },
        ],
        onopen: () => {
          this.#send.add(send)
          const beacon = this.#newest()
          if (beacon) send(writeBeacon(beacon))
        },
        onclose: () => this.#send.delete(send),
      })
      const send = (bytes: Uint8Array) => channel?.messages[0].send(bytes)
      channel?.open()
    }
    mux.pair({ protocol, id }, open)
    open()
  }

  /** The view has changed: what was vouched for may be here now. */
  async look(): Promise<void> {
    const beacon = this.#best
    if (!beacon || beacon.at <= (this.#current ?? 0)) return
    const { base } = this.#options
    for (const { log, length } of beacon.heads) {
      const known = await base.system?.get(bytesOf(log))
      if (!known || known.length < length) return
    }
    this.#current = Math.max(this.#current ?? 0, beacon.at)
  }

  #hear(bytes: Uint8Array): void {
    const { base, clock, maySpeak } = this.#options
    const beacon = readBeacon(bytes, hexOf(base.key), clock.now())
    if (!beacon || !maySpeak(beacon.by)) {
      this.#vain++
      return
    }
    if (this.#best && beacon.at <= this.#best.at) return
    this.#best = beacon
    this.look().catch(() => undefined)
  }

  #vouches(): boolean {
    return this.#options.member !== undefined && this.#options.writable()
  }

  #newest(): Beacon | undefined {
    const { base, clock, member } = this.#options
    if (!member || !this.#vouches()) return this.#best
    const heads = (base.system?.heads ?? []).map(({ key, length }) => ({ log: hexOf(key), length }))
    return signBeacon(hexOf(base.key), clock.now(), heads, member)
  }

  #beat(): void {
    this.#stop = this.#options.clock.after(this.#options.everyMs, () => {
      const beacon = this.#send.size > 0 ? this.#newest() : undefined
      if (beacon) for (const send of this.#send) send(writeBeacon(beacon))
      this.#beat()
    })
  }

  close(): void {
    this.#stop()
    this.#send.clear()
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
