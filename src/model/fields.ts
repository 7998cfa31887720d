/**
 * The numbers a device can report, one name and one unit each (source: protocols/data-model.md §2 and §3).
 * Device modules convert at their edge; nobody converts afterwards. `sum` says whether a group's value is a sum or a mean.
 */
interface Field {
  readonly unit: string
  readonly title: string
  /** Monotonic since the device started; a smaller value than before is a restart of the device. */
  readonly counter?: true
  /** How devices combine in a group: added up, averaged, the highest, or not at all. */
  readonly group: 'sum' | 'mean' | 'max' | 'none'
  /** Values outside are vendor sentinels (-1, 255, 65535 ...) and count as not reported. */
  readonly min?: number
  readonly max?: number
}

const hashrate = (title: string): Field => ({ unit: 'TH/s', title, group: 'sum', min: 0, max: 1e7 })
const temperature = (title: string): Field => ({ unit: '°C', title, group: 'max', min: -60, max: 200 })
const count = (title: string): Field => ({ unit: '1', title, counter: true, group: 'sum', min: 0 })

export const fields = {
  hashrateThs: hashrate('Hashrate, as now as the firmware gives it'),
  hashrate5sThs: hashrate('Hashrate, mean of 5 s'),
  hashrate30sThs: hashrate('Hashrate, mean of 30 s'),
  hashrate1mThs: hashrate('Hashrate, mean of 1 min'),
  hashrate5mThs: hashrate('Hashrate, mean of 5 min'),
  hashrate15mThs: hashrate('Hashrate, mean of 15 min'),
  hashrate30mThs: hashrate('Hashrate, mean of 30 min'),
  hashrate1hThs: hashrate('Hashrate, mean of 1 h'),
  hashrate24hThs: hashrate('Hashrate, mean of 24 h'),
  hashrateAvgThs: hashrate('Hashrate, mean since the start of mining'),
  expectedHashrateThs: hashrate('Hashrate the device aims at with its present settings'),
  nominalHashrateThs: hashrate('Hashrate on the label'),
  powerW: { unit: 'W', title: 'Power at the wall', group: 'sum', min: 0, max: 1e8 },
  dcPowerW: { unit: 'W', title: 'Power after the power supply', group: 'sum', min: 0, max: 1e8 },
  powerLimitW: { unit: 'W', title: 'Power limit that is set', group: 'sum', min: 0, max: 1e8 },
  efficiencyJTh: { unit: 'J/TH', title: 'Energy per work', group: 'none', min: 0, max: 1e5 },
  psuInputVoltageV: { unit: 'V', title: 'Power supply, input voltage', group: 'mean', min: 0, max: 2000 },
  psuInputCurrentA: { unit: 'A', title: 'Power supply, input current', group: 'sum', min: 0, max: 1e5 },
  psuInputPowerW: { unit: 'W', title: 'Power supply, input power', group: 'sum', min: 0, max: 1e8 },
  psuOutputVoltageV: { unit: 'V', title: 'Power supply, output voltage', group: 'mean', min: 0, max: 2000 },
  psuTempC: temperature('Power supply'),
  psuFanRpm: { unit: 'RPM', title: 'Power supply fan', group: 'max', min: 0, max: 60000 },
  ambientTempC: temperature('Ambient air'),
  inletTempC: temperature('Coolant or air, in'),
  outletTempC: temperature('Coolant or air, out'),
  boardTempMaxC: temperature('Hottest board'),
  boardTempAvgC: { ...temperature('Boards, mean'), group: 'mean' },
  chipTempMaxC: temperature('Hottest chip'),
  chipTempAvgC: { ...temperature('Chips, mean'), group: 'mean' },
  chipTempMinC: { ...temperature('Coldest chip'), group: 'none' },
  fanMaxRpm: { unit: 'RPM', title: 'Fastest fan', group: 'max', min: 0, max: 60000 },
  fanDutyPct: { unit: '%', title: 'Fan duty', group: 'mean', min: 0, max: 100 },
  frequencyMhz: { unit: 'MHz', title: 'Chip frequency, mean', group: 'mean', min: 0, max: 1e5 },
  uptimeS: { unit: 's', title: 'Since the controller started', group: 'none', min: 0 },
  miningUptimeS: { unit: 's', title: 'Since mining started', group: 'none', min: 0 },
  acceptedShares: count('Shares accepted'),
  rejectedShares: count('Shares rejected'),
  staleShares: count('Shares stale'),
  hwErrors: count('Hardware errors'),
  hwErrorPct: { unit: '%', title: 'Hardware errors', group: 'mean', min: 0, max: 100 },
  poolRejectPct: { unit: '%', title: 'Work rejected by the pool', group: 'mean', min: 0, max: 100 },
  poolStalePct: { unit: '%', title: 'Work too late for the pool', group: 'mean', min: 0, max: 100 },
  bestShare: { unit: '1', title: 'Best share difficulty', group: 'max', min: 0 },
} as const satisfies Record<string, Field>

export type Metric = keyof typeof fields
export type Metrics = { [M in Metric]?: number | null }

export const metricNames = Object.keys(fields) as Metric[]

export function isMetric(name: string): name is Metric {
  return Object.hasOwn(fields, name)
}

/** The value if it is a number a device can have measured, else undefined: NaN, infinities and vendor sentinels are "not reported". */
export function measured(metric: Metric, value: number | null | undefined): number | undefined {
  if (value === null || value === undefined || !Number.isFinite(value)) return undefined
  const field: Field = fields[metric]
  if (field.min !== undefined && value < field.min) return undefined
  if (field.max !== undefined && value > field.max) return undefined
  return value
}
