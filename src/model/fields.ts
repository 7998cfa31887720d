import type { Field } from './field.js'
import { type Kind, kinds } from './kinds.js'
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

/** What a device can have measured, both ends included. */
export interface Bounds {
  readonly least: number
  readonly most: number
}

const bounds = Object.fromEntries(kinds.map((kind) => [kind, boundsFor(kind)])) as Record<Kind, Record<Metric, Bounds>>

function boundsFor(kind: Kind): Record<Metric, Bounds> {
  const all = metricNames.map((metric): [Metric, Bounds] => {
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, signedFor }: Field = fields[metric]
    return [metric, { least: signedFor?.includes(kind) && Number.isFinite(max) ? -max : min, most: max }]
  })
  return Object.fromEntries(all) as Record<Metric, Bounds>
}

export function boundsOf(metric: Metric, kind: Kind): Bounds {
  return bounds[kind][metric]
}

/** The value if it is a number within the bounds, else undefined: NaN, infinities and vendor sentinels are "not reported". */
export function inside({ least, most }: Bounds, value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= least && value <= most ? value : undefined
}

/** The value if it is a number that a device can have measured, else undefined. */
export function measured(metric: Metric, value: number | null | undefined, kind: Kind = 'miner'): number | undefined {
  return inside(bounds[kind][metric], value)
}

/** Of the kinds in a group the one whose values of this metric are added up; undefined: all. */
export function countedKind(metric: Metric, present: (kind: Kind) => boolean): Kind | undefined {
  const { firstOf }: Field = fields[metric]
  return firstOf?.find(present)
}
