import type { Hardware } from '../hardware.js'

/** How an Avalon speaks beside its hardware (protocols/avalon.md). */
export interface AvalonRow extends Hardware {
  /** `MODEL` of its version and the beginning of `Ver`: model and bin. */
  readonly name: string
  readonly product: string
  readonly hwType: string
  readonly firmware: string
  readonly core: string
  /** A miner for the home: the string stands under `MM ID0:Summary`, the boards apart; a clock; a power target by level. */
  readonly home: boolean
  /** Power target by mode, W. */
  readonly targetsW: readonly number[]
}

export const avalonRows: readonly AvalonRow[] = [
  // biome-ignore format: one row a model
  { model: '1246', name: '1246-90', product: 'AvalonMiner 1246-90', hwType: 'MM4v2_X3', firmware: '21072802_4ec6bb0_211fc46', core: 'A3201', home: false,
    cooling: 'air', boards: 3, chips: 120, fans: 4, nominalThs: 90, efficiencyJTh: 38, frequencyMhz: 542, targetsW: [3200, 3420] },
  // biome-ignore format: one row a model
  { model: '15', name: '15-194', product: 'AvalonMiner 15-194', hwType: 'MM4v2_X3', firmware: '24102401_25462b2_9ddf522', core: 'A3197S', home: false,
    cooling: 'air', boards: 3, chips: 160, fans: 2, nominalThs: 194, efficiencyJTh: 19.2, frequencyMhz: 480, targetsW: [3325, 3725] },
  // biome-ignore format: one row a model
  { model: 'Q', name: 'Q', product: 'Avalon Q', hwType: 'Q_MM1v1_X1', firmware: '25052801_14a19a2', core: 'A3197S', home: true,
    cooling: 'air', boards: 1, chips: 160, fans: 4, nominalThs: 80, efficiencyJTh: 17, frequencyMhz: 440, targetsW: [800, 1300, 1600] },
  // biome-ignore format: one row a model
  { model: 'Nano3s', name: 'Nano3s', product: 'Avalon Nano3s', hwType: 'N_MM1v1_X1', firmware: '25061101_97ad5aa', core: 'A3197S', home: true,
    cooling: 'air', boards: 1, chips: 12, fans: 1, nominalThs: 6, efficiencyJTh: 22.5, frequencyMhz: 410, targetsW: [70, 100, 140] },
]
