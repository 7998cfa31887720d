import type { Field } from './field.js'
import type { Kind } from './kinds.js'
import { minerFields } from './miner-fields.js'
import { cashFields, coolingFields, electricityFields, networkFields, sensorFields } from './plant-fields.js'

export const fields = {
  ...minerFields,
  ...electricityFields,
  ...coolingFields,
  ...sensorFields,
  ...cashFields,
  ...networkFields,
} as const satisfies Record<string, Field>

export type Metric = keyof typeof fields
export type Metrics = { [M in Metric]?: number | null }

export const metricNames = Object.keys(fields) as Metric[]

const minerMetrics = Object.keys(minerFields) as Metric[]

/** The metrics that devices of a kind may report: what is made anew on every poll of thousands of miners has no room for all others. */
export function metricsOf(kind: Kind): readonly Metric[] {
  return kind === 'miner' ? minerMetrics : metricNames
}

export function isMetric(name: string): name is Metric {
  return Object.hasOwn(fields, name)
}

/** The value if it is a number a device can have measured, else undefined: NaN, infinities and vendor sentinels are "not reported". */
export function measured(metric: Metric, value: number | null | undefined, kind: Kind = 'miner'): number | undefined {
  if (value === null || value === undefined || !Number.isFinite(value)) return undefined
  const { min, max, signedFor }: Field = fields[metric]
  const least = signedFor?.includes(kind) && max !== undefined ? -max : min
  if (least !== undefined && value < least) return undefined
  if (max !== undefined && value > max) return undefined
  return value
}

/** Of the kinds in a group the one whose values of this metric are added up; undefined: all. */
export function countedKind(metric: Metric, present: (kind: Kind) => boolean): Kind | undefined {
  const { firstOf }: Field = fields[metric]
  return firstOf?.find(present)
}
