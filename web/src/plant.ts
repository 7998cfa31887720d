import type { DeviceRecord, Kind, Metric } from '#model'
import type { DeviceRow } from './client.js'

export const kindTitles: Record<Kind, string> = {
  miner: 'Miner',
  container: 'Container',
  powermeter: 'Power meter',
  sensor: 'Sensor',
  pool: 'Pool or network',
}

/** What matters most of each kind that is no miner, in this order; what a device does not report is left out. */
const figures: Record<Exclude<Kind, 'miner'>, readonly Metric[]> = {
  container: ['supplyTempC', 'returnTempC', 'powerW', 'ambientTempC', 'humidityPct', 'supplyPressureKpa', 'flowLpm'],
  powermeter: ['powerW', 'voltageV', 'currentA', 'frequencyHz', 'powerFactor', 'energyImportKwh'],
  sensor: ['temperatureC', 'humidityPct', 'pressureKpa', 'flowLpm', 'levelPct', 'digital'],
  pool: [
    'hashrateThs',
    'activeWorkers',
    'balanceBtc',
    'revenue24hBtc',
    'estimatedTodayBtc',
    'unsettledBtc',
    'priceUsd',
    'hashpriceSatThDay',
    'difficulty',
    'nextAdjustmentPct',
    'blockHeight',
    'feeFastSatVb',
  ],
}

/** Has a column of its own in every table. */
const elsewhere: readonly Metric[] = ['powerW']
const inARow = 2

const has = ({ metrics }: Pick<DeviceRow, 'metrics'>, metric: Metric) =>
  metrics[metric] !== null && metrics[metric] !== undefined

/** The metrics for the figures of a device's page, at most six; of a miner none: it has its own. */
export function figuresOf(record: Pick<DeviceRow, 'kind' | 'metrics'>): Metric[] {
  return record.kind === 'miner' ? [] : figures[record.kind].filter((metric) => has(record, metric)).slice(0, 6)
}

/** The metrics for a line in a table. */
export function briefOf(record: Pick<DeviceRow, 'kind' | 'metrics'>): Metric[] {
  if (record.kind === 'miner') return []
  return figures[record.kind].filter((metric) => !elsewhere.includes(metric) && has(record, metric)).slice(0, inARow)
}

/** The charts of each kind (ui/history.tsx). */
export const chartsOf: Record<Kind, readonly string[]> = {
  miner: ['hashrate', 'power', 'temperature'],
  container: ['coolant', 'power', 'climate'],
  powermeter: ['power', 'voltage', 'current'],
  sensor: ['readings', 'climate'],
  pool: ['hashrate', 'balance'],
}

/** How many sockets a container has, and how many of them are on. */
export function socketsOf({ pdus = [] }: Pick<DeviceRecord, 'pdus'>): { all: number; on: number } {
  const sockets = pdus.flatMap((pdu) => pdu.sockets)
  return { all: sockets.length, on: sockets.filter(({ enabled }) => enabled).length }
}
