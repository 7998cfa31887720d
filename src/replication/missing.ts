import { SdkError } from '#model'
import type { Missing, Reader, Span } from './types.js'

/** Collects what could not be read of one worker's feeds. */
export class Misses {
  readonly #of: Pick<Reader, 'worker' | 'site'>
  readonly #all: Missing[] = []

  constructor({ worker, site }: Pick<Reader, 'worker' | 'site'>) {
    this.#of = { worker, site }
  }

  add(spans: Iterable<Span>, error: unknown): void {
    const reason = error instanceof SdkError && error.code === 'STORE_FAILED' ? 'damaged' : 'absent'
    for (const { from, to } of spans) this.#all.push({ from, to, ...this.#of, reason })
  }

  within(span: Span): Missing[] {
    return joinedMisses(this.#all, span)
  }
}

/** Within what was asked, in order, those of one feed and reason without overlaps. */
export function joinedMisses(all: Iterable<Missing>, { from, to }: Span): Missing[] {
  const last = new Map<string, { -readonly [K in keyof Missing]: Missing[K] }>()
  const found: Missing[] = []
  for (const each of [...all].sort((a, b) => a.from - b.from)) {
    const span = { ...each, from: Math.max(each.from, from), to: Math.min(each.to, to) }
    if (span.from > span.to) continue
    const key = `${span.site} ${span.worker} ${span.reason}`
    const open = last.get(key)
    if (open && span.from <= open.to) open.to = Math.max(open.to, span.to)
    else {
      last.set(key, span)
      found.push(span)
    }
  }
  return found
}
