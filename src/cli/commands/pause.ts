import { sleep, systemClock } from '#model'

/** Waits, and keeps the process alive meanwhile: it is all that a command following a job does. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const awake = setInterval(() => {}, ms)
  try {
    await sleep(systemClock, ms, signal)
  } finally {
    clearInterval(awake)
  }
}
