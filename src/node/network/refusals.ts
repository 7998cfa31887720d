/** How often somebody was turned away, by reason. Reasons are our own words, never a stranger's. */
export interface Refusals {
  count(reason: string): void
  all(): Record<string, number>
}

export function createRefusals(): Refusals {
  const counts = new Map<string, number>()
  return {
    count: (reason) => void counts.set(reason, (counts.get(reason) ?? 0) + 1),
    all: () => Object.fromEntries(counts),
  }
}
