import type { Key } from '#keys'

/** How often somebody was turned away, by reason. Reasons are our own words, never a stranger's. */
export interface Refusals {
  count(reason: string, key: Key): void
  all(): Record<string, number>
}

/** A key that was found on the topic and is not called: it did nothing to us. */
export const found = 'found'

export function createRefusals(told: ((reason: string, key: Key) => void) | undefined): Refusals {
  const counts = new Map<string, number>()
  return {
    count(reason, key) {
      counts.set(reason, (counts.get(reason) ?? 0) + 1)
      if (reason !== found) told?.(reason, key)
    },
    all: () => Object.fromEntries(counts),
  }
}
