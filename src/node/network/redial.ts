import type { Key } from '#keys'
import type { Clock } from '#model'
import type { Timings } from './timings.js'

/**
 * Who is called again, and when: peers that are to be held, and those met on the topic and lost. The swarm gives up after a few tries within
 * half a minute; a link may be cut for hours. While somebody is missed we also announce ourselves anew now and then, for it may be our own
 * address that changed.
 */
export interface Redial {
  hold(key: Key): void
  release(key: Key): void
  holds(key: Key): boolean
  /** Calls it at once if it is missed. */
  again(key: Key): void
  /** A peer is gone that we had called. */
  lost(key: Key): void
  /** Something is wrong with our network, also if we call nobody. */
  unrest(): void
  up(key: Key): void
  tick(): void
}

interface RedialOptions {
  readonly clock: Clock
  /** 0 to 1. */
  readonly random: () => number
  readonly timings: Timings
  readonly maxKeys: number
  /** Whether it may be called now. */
  wants(key: Key): boolean
  dial(key: Key): void
  isUp(key: Key): boolean
  /** Nobody is here, and somebody should be. */
  isLonely(): boolean
  refresh(): void
}

interface Missed {
  tries: number
  nextAt: number
  /** Forgotten then; Infinity: held. */
  readonly until: number
}

/** After so many refreshes without anybody coming back the DHT's own rhythm is enough. */
const maxRefreshes = 10

export function createRedial({ clock, random, timings, maxKeys, ...network }: RedialOptions): Redial {
  const held = new Set<Key>()
  const missed = new Map<Key, Missed>()
  let refreshes = 0
  let refreshAt = Number.POSITIVE_INFINITY

  const pause = (tries: number) => {
    const ms = Math.min(timings.redialMs * 2 ** tries, timings.maxRedialMs)
    // Three quarters fixed, the rest by chance: peers that were lost together do not all call at once.
    return ms * (0.75 + random() / 2)
  }
  const miss = (key: Key, until: number, firstMs: number) => {
    if (missed.size < maxKeys || missed.has(key)) missed.set(key, { tries: 0, nextAt: clock.hr() + firstMs, until })
  }

  const redial: Redial = {
    hold(key) {
      held.add(key)
      if (!network.isUp(key)) miss(key, Number.POSITIVE_INFINITY, 0)
    },
    release(key) {
      held.delete(key)
      missed.delete(key)
    },
    holds: (key) => held.has(key),
    again(key) {
      const each = missed.get(key)
      if (each) missed.set(key, { ...each, tries: 0, nextAt: clock.hr() })
    },
    lost(key) {
      const until = held.has(key) ? Number.POSITIVE_INFINITY : clock.hr() + timings.forgetMs
      // At once, but for a moment: it may just be starting anew.
      miss(key, until, timings.redialMs * random())
    },
    unrest() {
      refreshes = 0
      refreshAt = clock.hr() + pause(0)
    },
    up(key) {
      missed.delete(key)
      if (missed.size === 0) refreshAt = Number.POSITIVE_INFINITY
    },
    tick() {
      const now = clock.hr()
      for (const [key, each] of missed) {
        if (each.nextAt > now) continue
        if (now > each.until) {
          missed.delete(key)
          continue
        }
        each.tries++
        each.nextAt = now + pause(each.tries)
        if (!network.wants(key)) continue
        network.dial(key)
        // Not only the other side may have moved.
        if (each.tries >= 2 && refreshAt === Number.POSITIVE_INFINITY) redial.unrest()
      }
      const lonely = network.isLonely()
      if (lonely && refreshAt === Number.POSITIVE_INFINITY) redial.unrest()
      if (now < refreshAt) return
      network.refresh()
      refreshAt =
        ++refreshes > maxRefreshes && missed.size === 0 && !lonely ? Number.POSITIVE_INFINITY : now + pause(refreshes)
    },
  }
  return redial
}
