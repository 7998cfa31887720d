import type { CommandJob } from '#rpc'
import type { DeviceRow } from './client.js'
import { isOld } from './status.js'

/** Above this many devices a disruptive command asks for the number of devices to be typed. */
export const typedAbove = 10
/** The API takes at most so many ids in one command. */
export const targetsMax = 10_000
export const defaultBatch = { size: 10, pauseMs: 5000 }

export type Risk = 'safe' | 'disruptive' | 'dangerous'

export interface Impact {
  /** Those of the chosen devices that can do it. */
  able: DeviceRow[]
  unable: number
  /** Present power of the live ones among them, W; null if none reports it. */
  powerW: number | null
  offline: number
  simulated: number
}

/** What a command would touch. */
export function impactOf(records: readonly DeviceRow[], command: string): Impact {
  const able = records.filter((record) => record.capabilities.includes(command))
  const powers = able.filter((record) => !isOld(record.status)).flatMap((record) => record.metrics.powerW ?? [])
  return {
    able,
    unable: records.length - able.length,
    powerW: powers.length > 0 ? powers.reduce((sum, watts) => sum + watts, 0) : null,
    offline: able.filter((record) => isOld(record.status)).length,
    simulated: able.filter((record) => record.simulated).length,
  }
}

/** What has to be typed before it is sent, or null: the number of devices above the threshold, the command's name if it is dangerous. */
export function phraseFor(risk: Risk, command: string, count: number): string | null {
  if (risk === 'safe') return null
  if (count > typedAbove) return String(count)
  return risk === 'dangerous' ? command : null
}

/** The commands that any of the devices can do, with how many can. */
export function commandsOf(records: readonly DeviceRow[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const record of records) for (const name of record.capabilities) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

export interface Progress {
  total: number
  ended: number
  confirmed: number
  accepted: number
  failed: number
  skipped: number
  running: number
  queued: number
}

export function progressOf({ counts }: Pick<CommandJob, 'counts'>): Progress {
  const of = (state: string) => counts[state] ?? 0
  const ended = of('confirmed') + of('accepted') + of('failed') + of('skipped') + of('unknown')
  return {
    total: ended + of('queued') + of('running'),
    ended,
    confirmed: of('confirmed'),
    accepted: of('accepted'),
    failed: of('failed') + of('unknown'),
    skipped: of('skipped'),
    running: of('running'),
    queued: of('queued'),
  }
}

/** The devices a retry would go to: those that failed or whose result is not known. */
export const failedIds = (job: CommandJob): string[] =>
  job.results.filter(({ state }) => state === 'failed' || state === 'unknown').map(({ deviceId }) => deviceId)
