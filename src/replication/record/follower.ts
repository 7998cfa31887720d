import type { Changes } from 'autobase'
import type { Key } from '#keys'
import type { Clock } from '#model'
import type { Mirror } from './mirror.js'
import type { RecordPart } from './shapes.js'
import { type View, viewName } from './view.js'

const retryMs = 1000

/** Keeps the mirror at the view: one round at a time, whatever came meanwhile in the next. */
export class Follower {
  readonly #mirror: Mirror
  readonly #clock: Clock
  readonly #told: (parts: ReadonlySet<RecordPart>, revoked: readonly Key[]) => void
  readonly #failed: (error: unknown) => void
  /** The first block that is not in the mirror, or not as it was. */
  #from = 0
  /** The same, of a state that is not stored yet: it cannot be read. */
  #coming = Number.POSITIVE_INFINITY
  #round: Promise<void> | undefined
  #again = false
  #closed = false
  #retry: () => void = () => undefined

  constructor(
    mirror: Mirror,
    clock: Clock,
    told: (parts: ReadonlySet<RecordPart>, revoked: readonly Key[]) => void,
    failed: (error: unknown) => void,
  ) {
    this.#mirror = mirror
    this.#clock = clock
    this.#told = told
    this.#failed = failed
  }

  /** Before a new state of the view is stored: what will have changed. */
  note(changes: Changes): void {
    const change = changes.get(viewName)
    if (change) this.#coming = Math.min(this.#coming, change.shared)
  }

  /** What was noted is stored. */
  stored(): void {
    this.#from = Math.min(this.#from, this.#coming)
    this.#coming = Number.POSITIVE_INFINITY
  }

  /** The view's log was replaced: nothing of the mirror is sure. */
  all(): void {
    this.#from = 0
  }

  /** Resolves when the mirror holds what the view held at the call, or more. */
  async follow(view: View): Promise<void> {
    if (this.#closed) return
    if (this.#round) {
      this.#again = true
      return this.#round
    }
    this.#round = this.#run(view).finally(() => {
      this.#round = undefined
    })
    return this.#round
  }

  async #run(view: View): Promise<void> {
    do {
      this.#again = false
      const from = this.#from
      this.#from = Number.POSITIVE_INFINITY
      if (from === Number.POSITIVE_INFINITY) continue
      const before = new Set(this.#revokedKeys())
      try {
        const parts = await this.#mirror.follow(view, from)
        if (!this.#closed && parts.size > 0)
          this.#told(
            parts,
            this.#revokedKeys().filter((key) => !before.has(key)),
          )
      } catch (error) {
        this.#from = Math.min(this.#from, from)
        if (this.#closed) return
        this.#failed(error)
        this.#retry = this.#clock.after(retryMs, () => void this.follow(view))
        return
      }
    } while (this.#again && !this.#closed)
  }

  /** Who is no member any more, by its own key or by who let it in. */
  #revokedKeys(): Key[] {
    const { members, revoked } = this.#mirror
    if (revoked.size === 0) return []
    const named = [...revoked.keys()].filter((name) => name.length === 64)
    return [...new Set([...named, ...[...members.keys()].filter((key) => this.#mirror.isRevoked(key))])]
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#retry()
    await this.#round
  }
}
