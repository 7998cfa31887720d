import type { Model } from '../define.js'
import { antminerModel, antminers, antminerTitle } from './antminer.js'

/** ePIC's own machines (protocols/models-hardware.csv). */
export const blockMiners: Readonly<Record<string, Model>> = Object.freeze({
  'BlockMiner 520i': { boards: 3, chips: 124, fans: 4, cooling: 'air' },
  'BlockMiner 720i': { boards: 3, chips: 180, fans: 4, cooling: 'air' },
})

/** Antminers that its control board drives, also two in one case. */
const dual: Readonly<Record<string, Model>> = {
  'S19j Pro Dual': { boards: 6, chips: 126, fans: 8, cooling: 'air' },
}
export const epicAntminers: Readonly<Record<string, Model>> = Object.freeze({ ...antminers, ...dual })

const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9+]/g, '')
const byPlainName = new Map([...Object.keys(blockMiners), ...Object.keys(dual)].map((name) => [plain(name), name]))

export function isAntminer(text: string | undefined): boolean {
  return /antminer/i.test(text ?? '')
}

/** `S19 XP` of `AntMiner S19 XP`, `BlockMiner 520i` of any spelling; what is in no table keeps its words. */
export function epicName(text: string | undefined): string | undefined {
  const name = text
    ?.replace(/antminer/i, '')
    .trim()
    .slice(0, 48)
  if (!name) return undefined
  const own = byPlainName.get(plain(name).replace(/^(bm|epicblockminer)(?=\d)/, 'blockminer'))
  return own ?? antminerTitle(name) ?? name
}

export function blockMinerModel(model: string): Model | undefined {
  const name = epicName(model)
  return name !== undefined && Object.hasOwn(blockMiners, name) ? blockMiners[name] : undefined
}

export function epicAntminerModel(model: string): Model | undefined {
  const name = epicName(model)
  return name !== undefined && Object.hasOwn(dual, name) ? dual[name] : antminerModel(model)
}
