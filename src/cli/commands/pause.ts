import { SdkError, sleep, systemClock } from '#model'

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Waits, and keeps the process alive meanwhile: it is all that a command following a job does. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const awake = setInterval(() => {}, ms)
  try {
    await sleep(systemClock, ms, signal)
  } finally {
    clearInterval(awake)
  }
}

/** What a person writes for a time; seconds without a unit. Throws BAD_REQUEST. */
export function milliseconds(time: string): number {
  const [, value, unit] = /^(\d+)(ms|s|m|h|d)?$/.exec(time) ?? []
  if (value === undefined) throw new SdkError('BAD_REQUEST', `${time} is no time; write 500ms, 5s, 2m, 1h or 3d`)
  return Number(value) * units[unit ?? 's']!
}
