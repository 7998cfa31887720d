import type { PowerMode } from '#model'
import type { Model } from '../define.js'

/** Facts that only this family has; they stand in `quirks` of a row. */
export interface AvalonFacts {
  /** The power modes by the number that the firmware has for each. */
  readonly modes: readonly PowerMode[]
  /** The option that sets a mode, and the key that shows it. */
  readonly modeBy: 'workmode' | 'worklevel'
  /** A miner for the home: a display in the place of the LED, settings that work without a restart. */
  readonly home?: boolean
  /** Firmware of the first generation keeps one pool. */
  readonly onePool?: boolean
}

const industrial: AvalonFacts = { modes: ['normal', 'high'], modeBy: 'workmode' }
const first: AvalonFacts = { ...industrial, onePool: true }
const home: AvalonFacts = { modes: ['low', 'normal', 'high'], modeBy: 'worklevel', home: true }

type Row = readonly [boards: number, chips: number, fans: number | undefined, facts: AvalonFacts, known?: Model]

/** Boards, chips a board, fans: protocols/models-hardware.csv and protocols/avalon.md §6. */
const rows: Readonly<Record<string, Row>> = {
  721: [4, 18, 1, first],
  741: [4, 22, 1, first],
  761: [4, 18, 1, first],
  821: [4, 26, 1, first],
  841: [4, 26, 1, first],
  851: [4, 26, 1, first],
  921: [4, 26, 1, first],
  1026: [3, 80, 2, first],
  1047: [3, 80, 2, first],
  1066: [3, 114, 4, first],
  '1126Pro': [3, 120, 4, industrial],
  '1166Pro': [3, 120, 4, industrial],
  1246: [3, 120, 4, industrial],
  1346: [3, 120, undefined, industrial],
  1466: [3, 176, 2, industrial],
  15: [3, 160, 2, industrial],
  '15Pro': [3, 160, 2, industrial],
  1566: [3, 160, 2, industrial],
  '1566HA': [4, 160, 0, industrial, { cooling: 'hydro' }],
  '1566HU': [3, 160, 0, industrial, { cooling: 'immersion' }],
  Mini3: [1, 66, 1, home],
  Nano3: [1, 10, 1, home],
  Nano3s: [1, 12, 1, home],
  Q: [1, 160, 4, { ...home, modeBy: 'workmode' }],
}

export const avalons: Readonly<Record<string, Model>> = Object.freeze(
  Object.fromEntries(
    Object.entries(rows).map(([name, [boards, chips, fans, facts, known]]): [string, Model] => [
      name,
      {
        boards,
        chips,
        ...(fans === undefined ? {} : { fans, cooling: 'air' as const }),
        ...known,
        quirks: { ...facts },
      },
    ]),
  ),
)

const byPlainName = new Map(Object.keys(avalons).map((name) => [name.toLowerCase(), name]))

/** `AvalonMiner 1246`, `A1166 Pro`, `Avalon Home Q` as the table has them; a name without a row keeps its letters; undefined for none. */
export function avalonName(text: string | undefined): string | undefined {
  const plain = (text ?? '')
    .replace(/^\s*(canaan\s+)?avalon(miner)?/i, '')
    .replace(/\bhome(\b|(?=q))|home$/i, '')
    .replace(/[^A-Za-z0-9]/g, '')
    .replace(/^A(?=\d{2})/i, '')
    .slice(0, 24)
  // `10xx` names a series, not a model.
  if (!plain || /x{2}$/i.test(plain)) return undefined
  return byPlainName.get(plain.toLowerCase()) ?? plain
}

export function avalonModel(name: string): Model | undefined {
  const known = avalonName(name)
  return known !== undefined && Object.hasOwn(avalons, known) ? avalons[known] : undefined
}

/** What is not in the table is taken for an industrial model: the miners for the home are all there. */
export function avalonFacts(model: Model): AvalonFacts {
  return { ...industrial, ...(model.quirks as Partial<AvalonFacts> | undefined) }
}
