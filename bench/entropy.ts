import type { DeviceRecord } from '#model'
import { intervalMs, type Miner, start } from './miners.js'

/**
 * About how many bits a sample holds that nobody can foresee: for each number the entropy of what is left when the best linear forecast of
 * its last four values is taken away, found by least squares over all of it. What follows from other numbers of the sample counts nothing.
 * Numbers that go together (the temperature of a board and its hashrate) could take less.
 */
export function floorBits(
  miners: readonly Miner[],
  samples: number,
): { bits: number; framesBits: number; columns: number } {
  const columns = new Map<string, number[][]>()
  for (const miner of miners) {
    const records = Array.from({ length: samples }, (_, index) => miner.read(start + index * intervalMs))
    for (const [name, values] of numbers(records)) columns.set(name, [...(columns.get(name) ?? []), values])
  }
  let bits = 0
  for (const [name, series] of columns) if (!follows.test(name) && name !== latency) bits += entropyOf(series)
  return { bits, framesBits: bits + entropyOf(columns.get(latency) ?? []), columns: columns.size }
}

/** Stands in frames alone. */
const latency = 'latencyMs'
/** Maxima, sums and quotients of others; temperatures that the simulator makes of one another. */
const follows =
  /^(boardTemp|chipTemp|fanMax|efficiency|psuInputPower|psuInputCurrent|hashrateThs|acceptedShares|rejectedShares|poolReject)|\.chipTemp/

function numbers(records: readonly DeviceRecord[]): Map<string, number[]> {
  const all = new Map<string, number[]>()
  const put = (name: string, value: unknown, index: number) => {
    if (typeof value !== 'number') return
    const values = all.get(name) ?? new Array<number>(records.length).fill(0)
    values[index] = value
    all.set(name, values)
  }
  records.forEach((record, index) => {
    put('at', (record.at ?? 0) - start - index * intervalMs, index)
    put('latencyMs', record.latencyMs, index)
    for (const [name, value] of Object.entries(record.metrics)) put(name, value, index)
    for (const part of ['boards', 'fans', 'pools'] as const)
      for (const [at, one] of record[part].entries())
        for (const [name, value] of Object.entries(one)) put(`${part}.${at}.${name}`, value, index)
  })
  return all
}

const order = 4

function entropyOf(series: readonly number[][]): number {
  const scale = scaleOf(series)
  const whole = series.map((values) => values.map((value) => Math.round(value * scale)))
  const unit = whole.flat().reduce(gcd, 0) || 1
  const left: number[] = []
  for (const values of whole) {
    const changes = values.map((value, at) => (at === 0 ? 0 : (value - values[at - 1]!) / unit))
    const weights = leastSquares(changes)
    for (let at = order + 1; at < values.length; at++) {
      let expected = 0
      for (let tap = 0; tap < order; tap++) expected += weights[tap]! * changes[at - 1 - tap]!
      left.push(Math.round(changes[at]! - expected))
    }
  }
  return Math.min(gaussian(left), counted(left))
}

function scaleOf(series: readonly number[][]): number {
  const digits = Math.max(
    0,
    ...series.map((values) => Math.max(...values.slice(0, 200).map((value) => `${value}`.split('.')[1]?.length ?? 0))),
  )
  return 10 ** digits
}

function gcd(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)]
  while (y !== 0) [x, y] = [y, x % y]
  return x
}

/** Of the values as they were counted; too low where each came once only. */
function counted(values: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  if (counts.size > values.length / 20) return Number.POSITIVE_INFINITY
  let bits = 0
  for (const count of counts.values()) bits -= (count / values.length) * Math.log2(count / values.length)
  return bits
}

function gaussian(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return Math.max(0, 0.5 * Math.log2(2 * Math.PI * Math.E * Math.max(variance, 1 / (2 * Math.PI * Math.E))))
}

/** The weights of the last changes, by the normal equations. */
function leastSquares(changes: readonly number[]): number[] {
  const rows = Array.from({ length: order }, () => new Array<number>(order + 1).fill(0))
  for (let at = order + 1; at < changes.length; at++) {
    for (let row = 0; row < order; row++) {
      for (let tap = 0; tap < order; tap++) rows[row]![tap]! += changes[at - 1 - row]! * changes[at - 1 - tap]!
      rows[row]![order]! += changes[at - 1 - row]! * changes[at]!
    }
  }
  for (let row = 0; row < order; row++) rows[row]![row]! += 1e-6
  for (let pivot = 0; pivot < order; pivot++) {
    for (let row = 0; row < order; row++) {
      if (row === pivot) continue
      const share = rows[row]![pivot]! / rows[pivot]![pivot]!
      for (let tap = pivot; tap <= order; tap++) rows[row]![tap]! -= share * rows[pivot]![tap]!
    }
  }
  return rows.map((row, at) => row[order]! / row[at]!)
}
