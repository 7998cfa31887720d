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

/** One share about every 6 s at the nominal rate, as pools steer it; hashes per unit of difficulty: 2^32. */
const sharesPerS = 1 / 6
const hashesPerDifficulty = 2 ** 32
const rejectedPerShare = 0.0011
const stalePerShare = 0.0004

/**
 * Three pools and the work done for each: shares arrive by chance, in proportion to work. The first that is alive gets the work; a host
 * under `.invalid` never is.
 */
export class Pools {
  readonly difficulty: number
  readonly #seed: number
  /** Work of the miner, TH, so far and the rate, TH/s, now. */
  readonly #source: () => { workTh: number; rateThs: number; seconds: number }
  #entries: readonly PoolEntry[] = []
  #dead = new Set<number>()
  #active = -1
  /** TH done for each pool until `#since`, and when it got its last share. */
  #credit: number[] = []
  #lastShareAt: (number | undefined)[] = []
  #since = 0

  constructor(seed: number, nominalThs: number, source: () => { workTh: number; rateThs: number; seconds: number }) {
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
    this.#active = this.#firstAlive()
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
    this.#active = this.#firstAlive()
  }

  /** Books the work done so far to the pool that got it; to be called before the rate changes. */
  settle() {
    const { workTh, seconds } = this.#source()
    if (this.#active >= 0) {
      const ago = this.#reading(this.#active).lastShareAgoS
      if (ago !== undefined) this.#lastShareAt[this.#active] = seconds - ago
      this.#credit[this.#active] = (this.#credit[this.#active] ?? 0) + Math.max(0, workTh - this.#since)
    }
    this.#since = workTh
  }

  read(): PoolReading[] {
    return this.#entries.map((_, index) => this.#reading(index))
  }

  #reading(index: number): PoolReading {
    const entry = this.#entries[index]!
    const { workTh, rateThs, seconds } = this.#source()
    const active = index === this.#active
    const perTh = 1e12 / hashesPerDifficulty / this.difficulty
    const shares = ((this.#credit[index] ?? 0) + (active ? Math.max(0, workTh - this.#since) : 0)) * perTh
    const seed = this.#seed + 100 * (index + 1)
    const behind = active && rateThs > 0 ? sinceArrival(seed, shares) : undefined
    const remembered = this.#lastShareAt[index]
    const ago = behind === undefined ? remembered && seconds - remembered : behind / (rateThs * perTh)
    return {
      ...entry,
      index,
      alive: this.#isAlive(index),
      active,
      accepted: arrivals(seed, shares),
      rejected: arrivals(seed + 1, shares * rejectedPerShare),
      stale: arrivals(seed + 2, shares * stalePerShare),
      difficulty: this.difficulty,
      lastShareAgoS: ago,
    }
  }

  #isAlive(index: number): boolean {
    const url = this.#entries[index]?.url ?? ''
    return url !== '' && !this.#dead.has(index) && !/\.invalid(:|\/|$)/.test(url)
  }

  #firstAlive(): number {
    return this.#entries.findIndex((_, index) => this.#isAlive(index))
  }
}
