import { arrivals, sinceArrival } from './random.js'

export interface PoolEntry {
  readonly url: string
  readonly user: string
  readonly pass: string
}

export interface PoolReading extends PoolEntry {
  /** 0-based, in order of preference. */
  readonly index: number
  readonly alive: boolean
  readonly active: boolean
  readonly accepted: number
  readonly rejected: number
  readonly stale: number
  /** Difficulty of one share. */
  readonly difficulty: number
  /** s since the last share; undefined before the first. */
  readonly lastShareAgoS: number | undefined
}

/** Of the miner: work so far, TH, the rate now, TH/s, and its time, s. */
interface Source {
  readonly workTh: number
  readonly rateThs: number
  readonly seconds: number
}

/** One share about every 6 s at the nominal rate, as pools steer it; hashes per unit of difficulty: 2^32. */
const sharesPerS = 1 / 6
const hashesPerDifficulty = 2 ** 32
const rejectedPerShare = 0.0011
const stalePerShare = 0.0004

/** Shares of all pools together. */
export function sharesOf(pools: readonly PoolReading[], kind: 'accepted' | 'rejected' | 'stale'): number {
  return pools.reduce((total, pool) => total + pool[kind], 0)
}

/**
 * Three pools and the work done for each: shares arrive by chance, in proportion to work. The first that is alive gets the work; a host
 * under `.invalid` never is.
 */
export class Pools {
  readonly difficulty: number
  readonly #seed: number
  readonly #source: () => Source
  #entries: readonly PoolEntry[] = []
  #dead = new Set<number>()
  #alive: readonly boolean[] = []
  #active = -1
  /** TH done for each pool until `#since`, and when it got its last share. */
  #credit: number[] = []
  #lastShareAt: (number | undefined)[] = []
  #since = 0

  constructor(seed: number, nominalThs: number, source: () => Source) {
    this.#seed = seed
    this.#source = source
    this.difficulty = 2 ** Math.round(Math.log2((nominalThs * 1e12) / hashesPerDifficulty / sharesPerS))
  }

  get entries(): readonly PoolEntry[] {
    return this.#entries
  }

  get hasWork(): boolean {
    return this.#active >= 0
  }

  /** Replaces all; counters start anew. */
  set(entries: readonly PoolEntry[]) {
    this.#entries = entries.map((entry) => ({ ...entry }))
    this.reset(this.#source().workTh)
    this.#lookRound()
  }

  /** The mining process starts anew: so do its counters. */
  reset(workTh = 0) {
    this.#credit = this.#entries.map(() => 0)
    this.#lastShareAt = this.#entries.map(() => undefined)
    this.#since = workTh
  }

  setDead(dead: Iterable<number>) {
    this.settle()
    this.#dead = new Set(dead)
    this.#lookRound()
  }

  /** Books the work done so far to the pool that got it; to be called before the rate changes. */
  settle() {
    const source = this.#source()
    const { workTh, seconds } = source
    if (this.#active >= 0) {
      const ago = this.#reading(this.#active, source).lastShareAgoS
      if (ago !== undefined) this.#lastShareAt[this.#active] = seconds - ago
      this.#credit[this.#active] = (this.#credit[this.#active] ?? 0) + Math.max(0, workTh - this.#since)
    }
    this.#since = workTh
  }

  read(): PoolReading[] {
    const source = this.#source()
    return this.#entries.map((_, index) => this.#reading(index, source))
  }

  #reading(index: number, { workTh, rateThs, seconds }: Source): PoolReading {
    const { url, user, pass } = this.#entries[index]!
    const active = index === this.#active
    const perTh = 1e12 / hashesPerDifficulty / this.difficulty
    const shares = ((this.#credit[index] ?? 0) + (active ? Math.max(0, workTh - this.#since) : 0)) * perTh
    const seed = this.#seed + 100 * (index + 1)
    const behind = active && rateThs > 0 ? sinceArrival(seed, shares) : undefined
    const remembered = this.#lastShareAt[index]
    return {
      url,
      user,
      pass,
      index,
      alive: this.#alive[index]!,
      active,
      accepted: arrivals(seed, shares),
      rejected: arrivals(seed + 1, shares * rejectedPerShare),
      stale: arrivals(seed + 2, shares * stalePerShare),
      difficulty: this.difficulty,
      lastShareAgoS: behind === undefined ? remembered && seconds - remembered : behind / (rateThs * perTh),
    }
  }

  #lookRound() {
    this.#alive = this.#entries.map(
      ({ url }, index) => url !== '' && !this.#dead.has(index) && !/\.invalid(:|\/|$)/.test(url),
    )
    this.#active = this.#alive.indexOf(true)
  }
}
