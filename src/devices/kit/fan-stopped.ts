import type { DeviceError, Fan } from '#model'

/** A fan that should turn and does not: the same finding whoever finds it, so that it is told once. */
export function fanStopped({ index }: Pick<Fan, 'index'>): DeviceError {
  return {
    code: 'fan-stopped',
    severity: 'high',
    component: 'fan',
    index,
    message: `Fan ${index} stands still.`,
    cause: 'It is blocked, broken or not plugged in.',
    action: 'Check and replace it; the miner may overheat.',
  }
}
