import type { Component, DeviceError, Severity } from '#model'

/** What an alarm of a container means: one row of a maker's table. */
export interface Alarm {
  readonly code: string
  readonly severity: Severity
  readonly component?: Component
  readonly message: string
  readonly cause?: string
  readonly action: string
}

/** The alarm as an error of the device; `#` in its message stands for the number of the part. */
export function alarmError(alarm: Alarm, found: { vendorCode?: string; part?: number | string } = {}): DeviceError {
  const { code, severity, component = 'cooling', message, cause, action } = alarm
  const { vendorCode, part } = found
  return {
    code,
    severity,
    component,
    ...(typeof part === 'number' ? { index: part - 1 } : {}),
    ...(vendorCode === undefined ? {} : { vendorCode }),
    message: part === undefined ? message : message.replace('#', String(part)),
    ...(cause === undefined ? {} : { cause }),
    action,
  }
}

/** Alarms that several makers have. */
export const common = {
  leak: {
    code: 'leakage',
    severity: 'critical',
    component: 'env',
    message: 'There is coolant where none should be.',
    cause: 'A hose, a joint or the tray leaks.',
    action: 'Stop the container, find the leak and dry it before it starts again.',
  },
  smoke: {
    code: 'smoke',
    severity: 'critical',
    component: 'env',
    message: 'The smoke detector has gone off.',
    action: 'Cut the power and look at the container at once; follow the fire plan of the site.',
  },
  powerFault: {
    code: 'power-fault',
    severity: 'medium',
    component: 'psu',
    message: 'The supply of the container has a fault.',
    cause: 'A phase, a fuse or the supply itself.',
    action: 'Check the breakers and the voltages at the distribution.',
  },
} as const satisfies Record<string, Alarm>

/** A row of an alarm table. */
export const alarm = (
  code: string,
  severity: Severity,
  message: string,
  action: string,
  more: Partial<Alarm> = {},
): Alarm => ({
  code,
  severity,
  message,
  action,
  ...more,
})
