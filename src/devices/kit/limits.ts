import { type CommandInput, SdkError } from '#model'
import type { Range } from '../define.js'

/** Checks that families share: each throws before anything is sent. */

/** BAD_REQUEST if the value is outside of what the device takes; nothing where that is not known. */
export function checkRange(what: string, value: number, unit: string, range: Range | undefined) {
  if (range && (value < range[0] || value > range[1]))
    throw new SdkError(
      'BAD_REQUEST',
      `the ${what} must be ${range[0]} to ${range[1]} ${unit} here, not ${value} ${unit}`,
    )
}

type FanInput = CommandInput<'setFan'>

/**
 * Fans that are set to a duty or follow a temperature. `takes` are the settings that this firmware has: any other is DEVICE_UNSUPPORTED,
 * what contradicts itself is BAD_REQUEST.
 */
export function checkFanInput(input: FanInput, takes: readonly (keyof FanInput)[]) {
  const other = (Object.keys(input) as (keyof FanInput)[]).find((key) => !takes.includes(key))
  if (other) throw new SdkError('DEVICE_UNSUPPORTED', `this firmware cannot set ${other}; it takes ${takes.join(', ')}`)
  const { mode, dutyPct, targetTempC } = input
  if (mode === 'manual' && dutyPct === undefined) throw new SdkError('BAD_REQUEST', 'a manual mode needs dutyPct')
  if (mode === 'auto' && dutyPct !== undefined) throw new SdkError('BAD_REQUEST', 'dutyPct is for the manual mode')
  if (targetTempC !== undefined && (mode === 'manual' || dutyPct !== undefined))
    throw new SdkError('BAD_REQUEST', 'targetTempC is for the automatic mode')
}

/** DEVICE_UNSUPPORTED unless the account is the one that the device has. */
export function checkAccount(account: string | undefined, only: string) {
  if (account !== undefined && account !== only)
    throw new SdkError('DEVICE_UNSUPPORTED', `it has only the account ${only}`)
}
