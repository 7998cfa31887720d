import { type DeviceError, type Metric, type Quantity, type Reading, Type } from '#model'
import type { Telemetry } from '../define.js'

/** Of each quantity: its unit and the metric that its readings make. */
const metrics: Readonly<Record<Quantity, { readonly unit: string; readonly metric: Metric }>> = {
  temperature: { unit: '°C', metric: 'temperatureC' },
  humidity: { unit: '%RH', metric: 'humidityPct' },
  pressure: { unit: 'kPa', metric: 'pressureKpa' },
  flow: { unit: 'L/min', metric: 'flowLpm' },
  level: { unit: '%', metric: 'levelPct' },
  digital: { unit: '1', metric: 'digital' },
}

export const gapOption = Type.Optional(
  Type.Integer({ minimum: 0, maximum: 5000, description: 'Pause between requests to its gateway, ms; default 50.' }),
)

export function unitOf(quantity: Quantity): string {
  return metrics[quantity].unit
}

/** The highest of the readings of a quantity; undefined if none has a value. */
export function highest(readings: readonly Reading[], quantity: Quantity): number | undefined {
  const values = readings.flatMap((each) => (each.quantity === quantity && each.value !== null ? [each.value] : []))
  return values.length === 0 ? undefined : Math.max(...values)
}

/** The fields of a sensor that all its readings together make. */
export const quantityFields = Object.entries(metrics).map(
  ([quantity, { metric }]) => [metric as keyof Telemetry, quantity as Quantity] as const,
)

/** One error a reading that has none of its own to show. */
export function sensorErrors(readings: readonly Reading[]): DeviceError[] {
  return readings.flatMap((reading, index): DeviceError[] => {
    if (!reading.fault) return []
    return [
      {
        code: 'sensor-error',
        severity: 'medium',
        component: 'sensor',
        index,
        message: `${reading.name ?? `Channel ${reading.id}`}: ${reading.fault}.`,
        cause: 'The sensor or its wire is open or shorted, or the value cannot be.',
        action: 'Check the wire and the sensor; replace it if it stays.',
      },
    ]
  })
}
