import { errorCodes, type SdkError } from '#model'

/** How long one device may take, and when it is asked again. All in ms. */
export interface Pace {
  /** Smoothed time to answer and its spread; undefined before the first answer. */
  latency: number | undefined
  spread: number
  /** 1 to 4: grows when the device was too late, shrinks when it answers. */
  patience: number
  /** Where in the interval the device has its place, so that polls are even. */
  readonly phase: number
}

/** The adaptive deadline stays within 1x to 4x of the device's own. */
const maxPatience = 4
/** A device that is gone is asked at most this rarely. */
export const maxBackoffMs = 60_000
/** The first failure is looked at again after this. */
const firstRetryMs = 1000

/** The golden ratio spreads any number of devices evenly over the interval, also when they come one by one. */
const golden = 0.618_033_988_749_895

export function newPace(index: number): Pace {
  return { latency: undefined, spread: 0, patience: 1, phase: (index * golden) % 1 }
}

/** Mean and spread as TCP keeps them (RFC 6298 §2). */
export function answered(pace: Pace, latencyMs: number): void {
  if (pace.latency === undefined) {
    pace.latency = latencyMs
    pace.spread = latencyMs / 2
  } else {
    pace.spread = pace.spread * 0.75 + Math.abs(pace.latency - latencyMs) * 0.25
    pace.latency = pace.latency * 0.875 + latencyMs * 0.125
  }
  pace.patience = Math.max(1, pace.patience * 0.9)
}

/** A device that was too late gets twice the time at the next visit. */
export function tooLate(pace: Pace): void {
  pace.patience = Math.min(maxPatience, pace.patience * 2)
}

/** Deadline of the next visit: what the device needs of late with room to spare, within 1x to 4x of `timeoutMs`. */
export function deadlineOf(pace: Pace, timeoutMs: number): number {
  const needed = pace.latency === undefined ? 0 : (pace.latency + 4 * pace.spread) * 2
  return Math.round(Math.min(timeoutMs * maxPatience, Math.max(timeoutMs * pace.patience, needed)))
}

/** The next moment of the device's own place in the interval, after `now` (monotonic, ms); lateness does not add up. */
export function nextPlace(pace: Pace, now: number, intervalMs: number): number {
  const place = pace.phase * intervalMs
  return Math.floor((now - place) / intervalMs + 1) * intervalMs + place
}

/**
 * Wait after the n-th failure in a row: 1, 2, 4 ... s up to a minute (never longer than needed for slower intervals), at once the longest
 * for an error that a retry does not mend. `random` (0 to 1) spreads it by a fifth.
 */
export function backoffOf(failures: number, error: SdkError, intervalMs: number, random: number): number {
  const longest = Math.max(maxBackoffMs, intervalMs)
  const grown = errorCodes[error.code].retry ? firstRetryMs * 2 ** Math.min(failures - 1, 16) : longest
  return Math.round(Math.min(longest, grown) * (0.9 + random * 0.2))
}
