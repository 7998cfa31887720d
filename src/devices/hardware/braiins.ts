import type { Model } from '../define.js'
import { antminerModel, antminers, antminerTitle } from './antminer.js'

/** Braiins OS runs on Antminers, and on the small miners that Braiins makes itself (protocols/models-hardware.csv). */
const own: Readonly<Record<string, Model>> = {
  BMM100: { boards: 1, chips: 1, fans: 1, cooling: 'air' },
  BMM101: { boards: 1, chips: 1, fans: 1, cooling: 'air' },
}

export const braiinsModels: Readonly<Record<string, Model>> = Object.freeze({ ...antminers, ...own })

const ownName = (name: string) => /BMM\s*(\d{3})/i.exec(name)?.[1]

/** `Antminer S19 XP` is `S19 XP`, `Braiins Mini Miner BMM 101` is `BMM101`. */
export function braiinsName(text: string | undefined): string | undefined {
  const number = text === undefined ? undefined : ownName(text)
  return number ? `BMM${number}` : antminerTitle(text)
}

export function braiinsModel(name: string): Model | undefined {
  return Object.hasOwn(own, name) ? own[name] : antminerModel(name)
}
