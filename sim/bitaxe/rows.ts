import type { Hardware } from '../hardware.js'

/** How a small miner speaks beside its hardware (protocols/bitaxe.md). */
export interface BitaxeRow extends Hardware {
  readonly chip: string
  readonly board: string
  readonly firmware: string
  /** Cores a chip: what the expected rate follows from. */
  readonly cores: number
  readonly volts: number
  readonly optionsMhz: readonly number[]
  /** A build that knows no pause yet, and writes difficulties with a suffix. */
  readonly old: boolean
  /** The firmware of NerdAxes has grown its own way: a list of fans, a model, a shutdown in the place of a pause. */
  readonly nerd: boolean
}

export const bitaxeRows: readonly BitaxeRow[] = [
  // biome-ignore format: one row a model
  { model: 'Gamma', chip: 'BM1370', board: '601', firmware: 'v2.12.2', cores: 2040, volts: 5.1, optionsMhz: [400, 490, 525, 550, 600, 625], old: false, nerd: false,
    cooling: 'air', boards: 1, chips: 1, fans: 1, nominalThs: 1.071, efficiencyJTh: 16.5, frequencyMhz: 525 },
  // biome-ignore format: one row a model
  { model: 'Supra', chip: 'BM1368', board: '401', firmware: 'v2.4.5', cores: 1276, volts: 5.1, optionsMhz: [400, 425, 450, 475, 485, 490, 500, 525, 550, 575], old: true, nerd: false,
    cooling: 'air', boards: 1, chips: 1, fans: 1, nominalThs: 0.62524, efficiencyJTh: 22, frequencyMhz: 490 },
  // biome-ignore format: one row a model
  { model: 'NerdQAxe++', chip: 'BM1370', board: '501', firmware: 'v1.1.0', cores: 2040, volts: 12.1, optionsMhz: [500, 525, 550, 575, 590, 600], old: false, nerd: true,
    cooling: 'air', boards: 1, chips: 4, fans: 1, nominalThs: 4.8144, efficiencyJTh: 16, frequencyMhz: 590 },
]
