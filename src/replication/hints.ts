/** What a value should be by others of its row that are coded before it: only ever a hint. */
export interface Hint {
  /** Places of what it follows from. */
  readonly inputs: readonly number[]
  /** The value itself, or by how much it changes if its one input changes so much. */
  readonly kind: 'value' | 'change'
  /** NaN if they say nothing. `values` by place: what the inputs are, or by how much they changed. */
  of(values: ArrayLike<number>): number
}

type Join = (values: ArrayLike<number>, inputs: readonly number[]) => number

const sum: Join = (values, inputs) => {
  let total = 0
  for (const place of inputs) total += values[place]!
  return total
}
const mean: Join = (values, inputs) => sum(values, inputs) / inputs.length
const most: Join = (values, inputs) => {
  let found = values[inputs[0]!]!
  for (const place of inputs) if (values[place]! > found) found = values[place]!
  return found
}
const least: Join = (values, inputs) => {
  let found = values[inputs[0]!]!
  for (const place of inputs) if (values[place]! < found) found = values[place]!
  return found
}
const same: Join = (values, inputs) => values[inputs[0]!]!
const ratio: Join = (values, [above, below]) => values[above!]! / values[below!]!

/** They decide how values are coded: they belong to the version of frames and chunks, and change only with it. */
const rules: Readonly<Record<string, { from: RegExp | readonly string[]; join: Join }>> = {
  hashrateThs: { from: /^boards\.\d+\.hashrateThs$/, join: sum },
  boardTempMaxC: { from: /^boards\.\d+\.boardTempC$/, join: most },
  boardTempAvgC: { from: /^boards\.\d+\.boardTempC$/, join: mean },
  chipTempMaxC: { from: /^boards\.\d+\.chipTempMaxC$/, join: most },
  chipTempAvgC: { from: /^boards\.\d+\.chipTempAvgC$/, join: mean },
  chipTempMinC: { from: /^boards\.\d+\.chipTempMinC$/, join: least },
  fanMaxRpm: { from: /^fans\.\d+\.rpm$/, join: most },
  acceptedShares: { from: /^pools\.\d+\.accepted$/, join: sum },
  rejectedShares: { from: /^pools\.\d+\.rejected$/, join: sum },
  psuInputPowerW: { from: ['powerW'], join: same },
  psuInputCurrentA: { from: ['psuInputPowerW', 'psuInputVoltageV'], join: ratio },
  efficiencyJTh: { from: ['powerW', 'hashrateThs'], join: ratio },
}

/** What goes up and down with another. */
const together: readonly { name: RegExp; with: string }[] = [
  { name: /^(boards\.\d+)\.chipTemp(Min|Max|Avg)C$/, with: '$1.boardTempC' },
]

export function hintsOf(names: readonly string[]): (Hint | undefined)[] {
  return names.map((name, at) => valueHint(name, names.slice(0, at)) ?? changeHint(name, names.slice(0, at)))
}

function valueHint(name: string, before: readonly string[]): Hint | undefined {
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
  if (!rule) return undefined
  const { from, join } = rule
  const inputs =
    from instanceof RegExp
      ? before.flatMap((each, place) => (from.test(each) ? [place] : []))
      : from.map((each) => before.indexOf(each))
  if (inputs.length === 0 || inputs.includes(-1)) return undefined
  return { kind: 'value', inputs, of: (values) => join(values, inputs) }
}

function changeHint(name: string, before: readonly string[]): Hint | undefined {
  for (const rule of together) {
    if (!rule.name.test(name)) continue
    const place = before.indexOf(name.replace(rule.name, rule.with))
    if (place >= 0) return { kind: 'change', inputs: [place], of: (values) => values[place]! }
  }
  return undefined
}
