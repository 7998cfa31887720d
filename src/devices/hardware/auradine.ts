import type { Model } from '../define.js'

/** Boards, chips a board, fans: protocols/models-hardware.csv; where its sources know none, none is here. */
export const teraflux: Readonly<Record<string, Model>> = Object.freeze({
  AT1500: { boards: 3, chips: 132, fans: 4, cooling: 'air' },
  AT2860: { boards: 3, fans: 4, cooling: 'air' },
  AT2880: { boards: 3, chips: 138, fans: 4, cooling: 'air' },
  AI2500: { boards: 3, fans: 0, cooling: 'immersion' },
  AI3680: { boards: 3, fans: 0, cooling: 'immersion' },
  AD2500: { boards: 3, fans: 0 },
  AD3500: { boards: 3, fans: 0 },
  AH3880: {},
})

/** `AT1500` of `Auradine AT1500`, `Teraflux AT-1500`; undefined for nothing. */
export function terafluxName(text: string | undefined): string | undefined {
  const plain = text?.replace(/auradine|teraflux/gi, '').replace(/[^A-Za-z0-9]/g, '')
  return plain ? plain.toUpperCase().slice(0, 24) : undefined
}

export function terafluxModel(model: string): Model | undefined {
  const name = terafluxName(model)
  return name !== undefined && Object.hasOwn(teraflux, name) ? teraflux[name] : undefined
}
