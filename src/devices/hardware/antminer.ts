import type { Board, PowerMode } from '#model'
import type { Model } from '../define.js'

/** What one place of a temperature array measures: coolant or air in or out, the board, a chip; `-`: not known, not reported. */
type Place = 'I' | 'O' | 'B' | 'C' | '-'
type Places = `${Place}${Place}${Place}${Place}`

/** Facts that only this family has; they stand in `quirks` of a row. */
export interface AntminerFacts {
  /** What the four places of each temperature array measure. Their order differs by model (protocols/antminer.md §1.3). */
  readonly temps?: { readonly pic?: Places; readonly pcb?: Places; readonly chip?: Places }
  /** Some builds put the two coolant temperatures where others have four chips. */
  readonly chipPairIsCoolant?: boolean
  /** Chips a board in all builds of this model, where there are several under one name. */
  readonly chipCounts?: readonly number[]
  /** Power modes that may be set; without it normal and sleep, which all have. */
  readonly modes?: readonly PowerMode[]
  /** The web interface of 2019 and before takes forms, not JSON. */
  readonly oldWeb?: boolean
}

const air: AntminerFacts = {
  temps: { pic: 'IIOO', pcb: 'BBBB', chip: 'CCCC' },
  modes: ['low', 'normal', 'high', 'sleep'],
}
const hydro: AntminerFacts = { ...air, temps: { pcb: 'BBBB', chip: 'CCCC' } }
const old: AntminerFacts = { temps: { pcb: 'BBBB', chip: 'CCCC' }, oldWeb: true, modes: [] }
const xpHydro: AntminerFacts = { ...hydro, temps: { pic: 'BBBB', pcb: 'BBBB', chip: 'CCCC' }, chipPairIsCoolant: true }

type Row = readonly [
  boards: number | undefined,
  chips: number | undefined,
  fans: number,
  facts: AntminerFacts,
  known?: Model,
]

/** Boards, chips a board, fans: protocols/models-hardware.csv, S23 from a capture. Efficiency: protocols/antminer.md §5. */
const rows: Readonly<Record<string, Row>> = {
  S9: [3, 63, 2, old],
  S9i: [3, 63, 2, old],
  S9j: [3, 63, 2, old],
  T9: [3, 54, 2, old],
  S17: [3, 48, 4, old],
  S17e: [3, 135, 4, old],
  S17Plus: [3, 65, 4, old],
  S17Pro: [3, 48, 4, old],
  T17: [3, 30, 4, old],
  T17e: [3, 78, 4, old],
  T17Plus: [3, 44, 4, old],
  S19: [3, 76, 4, { ...air, chipCounts: [76, 88] }],
  S19a: [3, 72, 4, air],
  S19aPro: [3, 100, 4, air],
  S19Hyd: [4, 104, 0, hydro],
  S19i: [3, 80, 4, air],
  S19j: [3, 114, 4, { ...air, chipCounts: [88, 114] }],
  S19jPlus: [3, 108, 4, air],
  S19jPro: [3, 126, 4, air],
  S19jProPlus: [3, 120, 4, air],
  S19jXP: [3, 110, 4, air],
  S19kPro: [3, 77, 4, air],
  S19L: [3, 76, 4, air],
  S19Plus: [3, 80, 4, air],
  S19Pro: [3, 114, 4, air],
  S19ProA: [3, 114, 4, air],
  S19ProHyd: [4, 180, 0, hydro],
  S19ProPlus: [3, 120, 4, air],
  S19ProPlusHyd: [4, 180, 0, hydro],
  S19XP: [3, 110, 4, { ...air, temps: { ...air.temps, pic: 'OOII' } }, { efficiencyJTh: 21 }],
  S19XPHyd: [3, 204, 0, { ...hydro, temps: { ...hydro.temps, pic: '-OI-' } }, { efficiencyJTh: 20.8 }],
  S19XPPlus: [3, 108, 4, air],
  T19: [3, 76, 4, air],
  S21: [3, 108, 4, air, { efficiencyJTh: 17.5 }],
  S21Hyd: [3, 216, 0, hydro],
  S21Plus: [3, 55, 4, air],
  S21PlusHyd: [3, 95, 0, { ...hydro, temps: { pic: 'CBBB', pcb: 'IBOB', chip: '----' } }],
  S21Pro: [3, 65, 4, air, { efficiencyJTh: 17 }],
  S21ProPlus: [3, 65, 4, air],
  S21XP: [3, 91, 4, air],
  S21XPHyd: [undefined, undefined, 0, xpHydro],
  S21eXPHyd: [3, 160, 0, xpHydro],
  S21jXPHyd: [undefined, undefined, 0, xpHydro],
  S23Hyd: [3, 84, 0, { ...hydro, temps: { pic: 'IIOO', pcb: 'BBBB', chip: 'CCCC' } }],
  T21: [3, 108, 4, air],
}

export const antminers: Readonly<Record<string, Model>> = Object.freeze(
  Object.fromEntries(
    Object.entries(rows).map(([name, [boards, chips, fans, facts, known]]): [string, Model] => [
      name,
      {
        ...(boards === undefined ? {} : { boards }),
        ...(chips === undefined ? {} : { chips }),
        fans,
        cooling: coolingOf(name),
        ...known,
        quirks: { ...facts },
      },
    ]),
  ),
)

const byLowerCase = new Map(Object.keys(antminers).map((name) => [name.toLowerCase(), name]))

/**
 * One spelling for all that firmwares and people write: `Antminer S21 XP Hyd.`, `S21 XP Hydro`, `s21xphyd` are `S21XPHyd`. A name
 * without a row keeps its letters: `Antminer S25 Hyd.` is `S25Hyd`. Undefined if it names no model, as the board names of unbranded
 * machines (`ANTMINER BHB42XXX`) do not.
 */
export function antminerName(text: string | undefined): string | undefined {
  const plain = (text ?? '')
    .replace(/^\s*(bitmain\s+)?antminer\b/i, '')
    .replace(/\+/g, 'Plus')
    .replace(/hydro(?![a-z])/i, 'Hyd')
    .replace(/\(?no ?pic\)?/i, '')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, 32)
  if (!plain || /^[a-z]hb\d/i.test(plain)) return undefined
  return byLowerCase.get(plain.toLowerCase()) ?? plain
}

/** The name as people write it: `S21 Pro+`, `S19j Pro`, `S21 XP Hyd`; undefined where the text names no model. */
export function antminerTitle(text: string | undefined): string | undefined {
  return antminerName(text)
    ?.replace(/(?<=.)(XP|Pro|Hyd|Imm)/g, ' $1')
    .replace(/Plus/g, '+')
}

/** The row of a model in any spelling; an immersion build is the same hardware without fans. Undefined if there is no row. */
export function antminerModel(name: string): Model | undefined {
  const known = antminerName(name)
  if (known === undefined) return undefined
  if (Object.hasOwn(antminers, known)) return antminers[known]
  const base = antminerName(known.replace(/Imm(ersion)?$/i, ''))
  if (base === undefined || base === known || !Object.hasOwn(antminers, base)) return undefined
  return { ...antminers[base], fans: 0, cooling: 'immersion' }
}

export function antminerFacts(model: Model): AntminerFacts {
  return (model.quirks ?? {}) as AntminerFacts
}

/** Chips that a board of this model should have, judged by the fullest board where one name stands for several builds. */
export function expectedChips(model: Model, most: number): number | undefined {
  return antminerFacts(model).chipCounts?.find((count) => count >= most) ?? model.chips
}

/** The boards with the chips that each should have, where the model has builds of several sizes. */
export function withChipCounts(boards: Board[] | undefined, model: Model): Board[] | undefined {
  if (boards === undefined || antminerFacts(model).chipCounts === undefined) return boards
  const most = Math.max(0, ...boards.map(({ chips }) => chips ?? 0))
  const expected = expectedChips(model, most)
  return boards.map((board) => ({ ...board, expectedChips: board.expectedChips ?? expected ?? null }))
}

function coolingOf(name: string): NonNullable<Model['cooling']> {
  return /Hyd$/.test(name) ? 'hydro' : 'air'
}
