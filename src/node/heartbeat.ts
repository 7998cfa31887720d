import type { Clock } from '#model'

/** A check that comes so much too late says that the whole process stood still, not that one service is hung. */
const stallMs = 1000

/**
 * Answers the beat of one run. From the first beat on, silence of `limitMs` calls `onSilence` once with its length, unless the signal
 * aborts first. After a standstill of the process (suspended, stopped) the silence is counted anew.
 */
export function watchHeartbeat(
  clock: Clock,
  limitMs: number,
  signal: AbortSignal,
  onSilence: (ms: number) => void,
): () => void {
  let beatAt: number | undefined
  let stop = () => {}

  const checkAfter = (ms: number) => {
    const due = clock.hr() + ms
    stop = clock.after(ms, () => {
      const silentMs = clock.hr() - (beatAt ?? 0)
      if (clock.hr() - due > stallMs) checkAfter(limitMs)
      else if (silentMs >= limitMs) onSilence(silentMs)
      else checkAfter(limitMs - silentMs)
    })
  }

  return () => {
    if (signal.aborted) return
    const first = beatAt === undefined
    beatAt = clock.hr()
    if (!first) return
    checkAfter(limitMs)
    signal.addEventListener('abort', () => stop(), { once: true })
  }
}
