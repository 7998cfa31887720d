import type { Health, Severity, Status } from '#model'

/** How a state looks. Tone gives the colour, shape the icon: nothing is told by colour alone. */
export type Tone = 'ok' | 'busy' | 'warn' | 'bad' | 'off'
export type Shape = 'disc' | 'ring' | 'triangle' | 'octagon' | 'moon' | 'cycle' | 'dash' | 'question' | 'clock'

export interface Look {
  label: string
  tone: Tone
  shape: Shape
  means: string
}

const look = (label: string, tone: Tone, shape: Shape, means: string): Look => ({ label, tone, shape, means })

export const statusLooks: Record<Status, Look> = {
  mining: look('Mining', 'ok', 'disc', 'Hashing'),
  running: look('Running', 'ok', 'disc', 'Works and tells its values'),
  starting: look('Starting', 'busy', 'cycle', 'Started a short while ago, not hashing yet'),
  tuning: look('Tuning', 'busy', 'cycle', 'The firmware is finding its settings'),
  rebooting: look('Rebooting', 'busy', 'cycle', 'A reboot is not over yet'),
  updating: look('Updating', 'busy', 'cycle', 'A firmware update is not over yet'),
  'not-mining': look('Not mining', 'warn', 'triangle', 'Answers, but does not hash'),
  error: look('Error', 'bad', 'octagon', 'Stopped or broken by an error'),
  stopped: look('Stopped', 'off', 'moon', 'Stopped: it neither cools nor feeds its miners'),
  sleeping: look('Sleeping', 'off', 'moon', 'Stopped on purpose'),
  curtailed: look('Curtailed', 'off', 'moon', 'Stopped by curtailment'),
  offline: look('Offline', 'off', 'ring', 'Does not answer; its values are old'),
  stale: look('Stale', 'off', 'clock', 'Our poller is late; its values are old'),
  unknown: look('Unknown', 'off', 'question', 'Not read yet, or not to be told'),
}

export const healthLooks: Record<Health, Look> = {
  ok: look('OK', 'ok', 'disc', 'Nothing to do'),
  degraded: look('Degraded', 'warn', 'triangle', 'Works, but something is wrong'),
  critical: look('Critical', 'bad', 'octagon', 'Act now'),
  unknown: look('Unknown', 'off', 'question', 'Not to be told'),
}

export const severityLooks: Record<Severity, Look> = {
  critical: look('Critical', 'bad', 'octagon', 'Act now'),
  high: look('High', 'bad', 'octagon', 'Act soon'),
  medium: look('Medium', 'warn', 'triangle', 'Look at it'),
  low: look('Low', 'busy', 'dash', 'Good to know'),
  info: look('Info', 'off', 'dash', 'For information'),
}

/** From the best to the worst, as the breakdown bar shows them. */
export const statusOrder = Object.keys(statusLooks) as Status[]
export const severityOrder = Object.keys(severityLooks) as Severity[]

const severityRank: Record<Severity, number> = { critical: 5, high: 4, medium: 3, low: 2, info: 1 }

/** 0 without errors, 5 with a critical one. */
export const worst = (errors: readonly { severity: Severity }[]): number =>
  errors.reduce((most, error) => Math.max(most, severityRank[error.severity]), 0)

/** Whether values are live: the same rule as the totals follow. */
export const isOld = (status: Status): boolean => status === 'offline' || status === 'stale' || status === 'unknown'
