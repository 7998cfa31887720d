import type { Hardware } from '../hardware.js'

/** How an Antminer with Braiins OS speaks beside its hardware (protocols/braiins.md). */
export interface BraiinsRow extends Hardware {
  /** Which interfaces this version has: the RPC alone, GraphQL, or REST. */
  readonly era: 'rpc' | 'graphql' | 'rest'
  readonly version: string
  readonly api?: string
  /** Range of the power target, W. */
  readonly targetW: { readonly min: number; readonly max: number }
}

export const braiinsRows: readonly BraiinsRow[] = [
  // biome-ignore format: one row a model
  { model: 'S21 Pro', era: 'rest', version: '2026-04-14-0-912d084c-26.04-plus', api: '1.3.0', targetW: { min: 1500, max: 4200 },
    cooling: 'air', boards: 3, chips: 65, fans: 4, nominalThs: 234, efficiencyJTh: 15, frequencyMhz: 595 },
  // biome-ignore format: one row a model
  { model: 'S19j Pro', era: 'graphql', version: '2025-04-07-0-424f9a7f-25.03-plus', targetW: { min: 1200, max: 3600 },
    cooling: 'air', boards: 3, chips: 126, fans: 4, nominalThs: 104, efficiencyJTh: 29.5, frequencyMhz: 545 },
  // biome-ignore format: one row a model
  { model: 'S17 Pro', era: 'rpc', version: 'bosminer-plus 0.9.0', targetW: { min: 800, max: 2300 },
    cooling: 'air', boards: 3, chips: 48, fans: 4, nominalThs: 56, efficiencyJTh: 39.5, frequencyMhz: 610 },
]
