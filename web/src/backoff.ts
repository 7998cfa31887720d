const firstMs = 500
const mostMs = 15_000

/** How long to wait before the attempt (0 is the first retry): doubles up to 15 s, spread by up to a quarter so that pages do not return all at once. */
export function backoff(attempt: number, random: number): number {
  const full = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 10))
  return Math.round(full * (0.75 + random * 0.25))
}
