import type { Component, DeviceError, Pool, Severity } from '#model'
import type { Summary } from './antminer-replies.js'
import type { Stats } from './antminer-stats.js'

interface Finding {
  readonly code: string
  readonly severity: Severity
  readonly component: Component
  readonly message: string
  readonly cause?: string
  readonly action: string
}

/** The codes of the engineering port (protocols/antminer.md §3); `#` stands for the number in the code. The first that fits is it. */
const warnings: readonly (readonly [pattern: RegExp, finding: Finding])[] = [
  [
    /^R:1$/,
    {
      code: 'hashrate-low',
      severity: 'medium',
      component: 'device',
      message: 'The hashrate is low.',
      cause: 'Chips, temperature or power hold it back.',
      action: 'Look at boards and temperatures; restart mining.',
    },
  ],
  [
    /^N:1$/,
    {
      code: 'hashrate-high',
      severity: 'medium',
      component: 'device',
      message: 'The hashrate is too high.',
      cause: 'Frequency settings do not fit the boards.',
      action: 'Set the normal power mode; check that the firmware is the one for this model.',
    },
  ],
  [
    /^V:1$/,
    {
      code: 'psu-init',
      severity: 'high',
      component: 'psu',
      message: 'The power supply does not start.',
      cause: 'Its signal cable, its firmware or the supply itself.',
      action: 'Switch off for a minute and on again; check the cable; replace the power supply.',
    },
  ],
  [
    /^V:2$/,
    {
      code: 'psu-uncalibrated',
      severity: 'medium',
      component: 'psu',
      message: 'The power supply is not calibrated.',
      action: 'Have it calibrated or replace it.',
    },
  ],
  [
    /^J0:8$/,
    {
      code: 'boards-insufficient',
      severity: 'high',
      component: 'board',
      message: 'There are fewer hash boards than this model needs.',
      cause: 'A board is not plugged in, has no power or is broken.',
      action: 'Check the cables of the boards; replace the one that stays away.',
    },
  ],
  [
    /^P:1$/,
    {
      code: 'temperature-high',
      severity: 'critical',
      component: 'cooling',
      message: 'It protects itself against heat.',
      cause: 'Air or coolant too warm, fans or flow too weak.',
      action: 'Check cooling, filters and fans before it starts again.',
    },
  ],
  [
    /^P:2$/,
    {
      code: 'temperature-low',
      severity: 'critical',
      component: 'cooling',
      message: 'It protects itself against cold.',
      cause: 'Air or coolant is too cold to start.',
      action: 'Warm the air or coolant at the inlet.',
    },
  ],
  [
    /^J0:6$/,
    {
      code: 'temperature-sensor',
      severity: 'high',
      component: 'board',
      message: 'A temperature sensor fails.',
      action: 'Restart; repair the board if it stays.',
    },
  ],
  [
    /^J[1-7]:4$/,
    {
      code: 'board-eeprom',
      severity: 'high',
      component: 'board',
      message: 'The data in the memory (EEPROM) of board # are wrong.',
      action: 'Restart; have the board repaired if it stays.',
    },
  ],
  [
    /^J[0-2]:2$/,
    {
      code: 'chips-insufficient',
      severity: 'high',
      component: 'chip',
      message: 'Board # finds too few chips.',
      cause: 'A chip or a solder joint on the board failed, or its cable is loose.',
      action: 'Check its cables and restart; have the board repaired.',
    },
  ],
  [
    /^M:1$/,
    {
      code: 'control-memory',
      severity: 'high',
      component: 'control',
      message: 'The controller has no memory left.',
      action: 'Reboot; update the firmware or replace the control board if it comes back.',
    },
  ],
  [
    /^L255:2$/,
    {
      code: 'level-mixed',
      severity: 'medium',
      component: 'board',
      message: 'No setting fits the mix of boards.',
      cause: 'Boards of different levels were put together.',
      action: 'Use boards of the same level.',
    },
  ],
  [
    /^L\d+:1$/,
    {
      code: 'voltage-frequency-limit',
      severity: 'medium',
      component: 'board',
      message: 'Voltage or frequency is beyond the limit.',
      action: 'Set the normal power mode.',
    },
  ],
  [
    /^L\d+:2$/,
    {
      code: 'voltage-frequency-mismatch',
      severity: 'medium',
      component: 'board',
      message: 'Voltage and frequency do not fit together.',
      action: 'Set the normal power mode; check that the firmware is the one for this model.',
    },
  ],
]

const unknownWarning: Finding = {
  code: 'vendor-warning',
  severity: 'medium',
  component: 'device',
  message: 'The device warns with code #.',
  action: 'Look at its log.',
}

/** `{"error_message":"J1:4"}` or the bare code; nothing for `None`. */
export function warningErrors(code: string | undefined): DeviceError[] {
  if (code === undefined) return []
  const finding = warnings.find(([pattern]) => pattern.test(code))?.[1]
  const number = /\d+/.exec(code)?.[0] ?? ''
  if (finding) return [{ ...finding, message: finding.message.replace('#', number), vendorCode: code }]
  return [{ ...unknownWarning, message: unknownWarning.message.replace('#', code), vendorCode: code }]
}

/** What `summary` reports with `w` (warning) or `e` (error); the device adds its own words. */
const alarms: Readonly<Record<string, Finding>> = {
  rate: {
    code: 'hashrate-low',
    severity: 'medium',
    component: 'device',
    message: 'The hashrate is low.',
    cause: 'Chips, temperature or power hold it back.',
    action: 'Look at boards and temperatures; restart mining.',
  },
  network: {
    code: 'network',
    severity: 'high',
    component: 'network',
    message: 'The network or the pool fails.',
    action: 'Check the cable, the gateway and the pool addresses.',
  },
  fans: {
    code: 'fan',
    severity: 'high',
    component: 'fan',
    message: 'The fans do not work as they should.',
    action: 'Check and replace the fan; the miner may overheat.',
  },
  temp: {
    code: 'temperature',
    severity: 'high',
    component: 'cooling',
    message: 'The temperature is not right.',
    action: 'Check cooling, filters and the temperature at the inlet.',
  },
}

export function summaryErrors({ alarms: reported }: Pick<Summary, 'alarms'>): DeviceError[] {
  return reported.flatMap(({ type, level, code, text }): DeviceError[] => {
    if (level !== 'w' && level !== 'e') return []
    const finding = Object.hasOwn(alarms, type) ? alarms[type]! : { ...unknownWarning, message: 'The device warns.' }
    const message = text ? `${finding.message} It says: ${text}` : finding.message
    const severity = level === 'e' ? (type === 'temp' ? 'critical' : 'high') : 'medium'
    return [{ ...finding, severity, message, vendorCode: code === '' || code === '0' ? type : `${type} ${code}` }]
  })
}

/** Limits of protocols/antminer.md §4. Counts since the start say nothing of today and are left out. */
const boardCriticalC = 95
const boardHighC = 85
const hwErrorHighPct = 5
const hwErrorLowPct = 1
const rejectHighPct = 10
const rejectLowPct = 5
/** Fewer shares make no percentage. */
const enoughShares = 100

/** Stock firmware has no error codes of its own for these: they follow from the values. */
export function statsErrors(stats: Pick<Stats, 'chains' | 'hwErrorPct' | 'psuStatus'>): DeviceError[] {
  const errors: DeviceError[] = []
  for (const chain of stats.chains ?? []) {
    const hottest = Math.max(...chain.pcb.map((celsius) => celsius ?? 0))
    if (hottest >= boardHighC) {
      errors.push({
        code: 'board-hot',
        severity: hottest >= boardCriticalC ? 'critical' : 'high',
        component: 'board',
        index: chain.slot,
        message: `Board ${chain.slot} has ${hottest} °C.`,
        cause: 'Air or coolant too warm, fans or flow too weak.',
        action: 'Check cooling and dust; lower the power mode.',
      })
    }
    if (chain.eepromOk === false) {
      errors.push({
        code: 'board-eeprom',
        severity: 'medium',
        component: 'board',
        index: chain.slot,
        message: `The memory (EEPROM) of board ${chain.slot} cannot be read.`,
        action: 'Check its cable and restart; have the board repaired.',
      })
    }
  }
  const share = stats.hwErrorPct ?? 0
  if (share >= hwErrorLowPct) {
    errors.push({
      code: 'hardware-errors',
      severity: share >= hwErrorHighPct ? 'high' : 'low',
      component: 'chip',
      message: `${share} % of the work has hardware errors.`,
      cause: 'Chips fail, are too hot or run beyond what they bear.',
      action: 'Look at the boards; lower the power mode.',
    })
  }
  if (stats.psuStatus !== undefined && !/^(ok|normal|good|0|s)$/i.test(stats.psuStatus)) {
    errors.push({
      code: 'psu',
      severity: 'high',
      component: 'psu',
      vendorCode: stats.psuStatus.slice(0, 64),
      message: `The power supply reports: ${stats.psuStatus.slice(0, 64)}.`,
      action: 'Check its mains, cables and fan; replace it if it stays.',
    })
  }
  return errors
}

export function poolErrors(pools: readonly Pool[]): DeviceError[] {
  return pools.flatMap((pool): DeviceError[] => {
    const at = { component: 'pool', index: pool.index } as const
    const errors: DeviceError[] = []
    if (pool.alive === false) {
      errors.push({
        ...at,
        code: 'pool-dead',
        severity: 'low',
        message: `Pool ${pool.index} cannot be reached.`,
        action: 'Check its address and the network; another pool may be in use meanwhile.',
      })
    }
    const shares = (pool.accepted ?? 0) + (pool.rejected ?? 0)
    const rejectPct = shares >= enoughShares ? (pool.rejectPct ?? 0) : 0
    if (rejectPct >= rejectLowPct) {
      errors.push({
        ...at,
        code: 'pool-rejects',
        severity: rejectPct >= rejectHighPct ? 'high' : 'medium',
        message: `Pool ${pool.index} rejects ${rejectPct} % of the shares.`,
        cause: 'A slow link, a wrong difficulty or a wrong worker.',
        action: 'Check the link to the pool and the worker name.',
      })
    }
    return errors
  })
}
