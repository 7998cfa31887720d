/** What changed in one round, by name only: who comes back is told how it is now, not how it was. */
interface Round {
  readonly seq: number
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

export interface Ring {
  readonly lastId: string
  push(changed: readonly string[], removed: readonly string[]): void
  /** What changed after this event id; undefined if that cannot be told any more: too long ago, or of another run. */
  since(id: string): { changed: Set<string>; removed: Set<string> } | undefined
}

/** Rounds remembered: ten minutes at one a second. */
const maxRounds = 600
/** Names remembered over all rounds: 100,000 are some 10 MB at the very most, as most of them are shared with the records. */
const maxNames = 100_000

/** The memory behind `Last-Event-ID`. Ids are `<run>-<number>`: after a restart the numbers mean nothing any more. */
export function createRing(boot: string, limits = { maxRounds, maxNames }): Ring {
  const rounds: Round[] = []
  let names = 0
  let seq = 0
  /** Everything after this number is remembered. */
  let forgotten = 0
  return {
    get lastId() {
      return `${boot}-${seq}`
    },
    push(changed, removed) {
      rounds.push({ seq: ++seq, changed, removed })
      names += changed.length + removed.length
      while (rounds.length > limits.maxRounds || names > limits.maxNames) {
        const oldest = rounds.shift()!
        names -= oldest.changed.length + oldest.removed.length
        forgotten = oldest.seq
      }
    },
    since(id) {
      const parts = /^([0-9a-z]{1,16})-(\d{1,15})$/.exec(id)
      const after = Number(parts?.[2])
      if (parts?.[1] !== boot || after > seq || after < forgotten) return undefined
      const changed = new Set<string>()
      const removed = new Set<string>()
      for (const round of rounds) {
        if (round.seq <= after) continue
        for (const name of round.changed) {
          changed.add(name)
          removed.delete(name)
        }
        for (const name of round.removed) {
          removed.add(name)
          changed.delete(name)
        }
      }
      return { changed, removed }
    },
  }
}
