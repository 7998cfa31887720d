import type { Model } from '../define.js'

/** Boards, chips a board, fans: protocols/models-hardware.csv. Whether one is cooled by liquid it says itself. */
export const sealminers: Readonly<Record<string, Model>> = Object.freeze({
  A2: { boards: 3, chips: 153, fans: 4 },
})

/** `A2` of `SealMiner A2`, `SEALMINER-A2`; undefined for nothing. */
export function sealName(text: string | undefined): string | undefined {
  const plain = text
    ?.replace(/sealminer/i, '')
    .replace(/[^A-Za-z0-9 ]/g, ' ')
    .trim()
  return plain ? plain.slice(0, 24) : undefined
}

/** A build with liquid cooling has the same boards, and no fans that have to turn. */
export function sealModel(model: string, variant?: string): Model | undefined {
  const name = sealName(model)?.toUpperCase()
  const row = name !== undefined && Object.hasOwn(sealminers, name) ? sealminers[name] : undefined
  if (!row) return undefined
  if (variant === 'liquid') return { ...row, fans: 0, cooling: 'hydro' }
  return variant === 'air' ? { ...row, cooling: 'air' } : row
}
