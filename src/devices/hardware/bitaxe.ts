import type { Model } from '../define.js'

/** The small miners of the ESP-Miner family (protocols/bitaxe.md §2, protocols/models-hardware.csv). */
const one: Model = Object.freeze({ boards: 1, chips: 1, fans: 1, cooling: 'air' })

export const bitaxes: Readonly<Record<string, Model>> = Object.freeze({
  Max: one,
  Ultra: one,
  Supra: one,
  Gamma: one,
  'Gamma Duo': { ...one, chips: 2 },
  'Gamma Turbo': { ...one, chips: 2 },
  'Ultra Hex': { ...one, chips: 6 },
  'Supra Hex': { ...one, chips: 6 },
  LV07: one,
  LV08: one,
})

export const nerdaxes: Readonly<Record<string, Model>> = Object.freeze({
  NerdMiner: one,
  NerdAxe: one,
  NerdAxeUltra: one,
  NerdQAxe: { ...one, chips: 4 },
  'NerdQAxe+': { ...one, chips: 4 },
  'NerdQAxe++': { ...one, chips: 4 },
})

/** Which product a board is, by its version: from, to, product. */
const boards: readonly (readonly [from: number, to: number, product: string])[] = [
  [0.11, 0.11, 'Ultra'],
  [2.2, 2.2, 'Max'],
  [102, 102, 'Max'],
  [201, 207, 'Ultra'],
  [302, 303, 'Ultra Hex'],
  [400, 403, 'Supra'],
  [600, 603, 'Gamma'],
  [650, 650, 'Gamma Duo'],
  [701, 702, 'Supra Hex'],
  [801, 801, 'Gamma Turbo'],
]

/** The product of a board version; `board 999` for one that we do not know. */
export function productOf(board: string | undefined): string | undefined {
  if (board === undefined) return undefined
  const number = Number(board)
  return boards.find(([from, to]) => number >= from && number <= to)?.[2] ?? `board ${board}`
}

const plain = (name: string) =>
  name
    .replace(/^(bitaxe|nerdaxe)\s+/i, '')
    .replace(/[^a-z0-9+]/gi, '')
    .toLowerCase()
const byPlainName = new Map(
  [...Object.entries(bitaxes), ...Object.entries(nerdaxes)].map(([name, row]) => [plain(name), row]),
)

export function bitaxeModel(name: string): Model | undefined {
  return byPlainName.get(plain(name))
}
