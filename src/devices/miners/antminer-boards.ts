import type { Board, Fan } from '#model'
import type { Model } from '../define.js'
import { antminerFacts, expectedChips } from '../hardware/antminer.js'
import { defined, highest, lowest, mean } from '../kit/values.js'
import type { Chain, Stats } from './antminer-stats.js'

/** Where a model's row does not say what a place measures: boards and chips everywhere, the rest unknown. */
const usual = { pic: '----', pcb: 'BBBB', chip: 'CCCC' } as const

interface Sensors {
  readonly inlet: number[]
  readonly outlet: number[]
  readonly board: number[]
  readonly chip: number[]
}

/** The sensors of a board sorted by what they measure, as the row of the model says (protocols/antminer.md §1.3). */
export function sensorsOf(chain: Pick<Chain, 'pic' | 'pcb' | 'chip'>, model: Model): Sensors {
  const { temps = {}, chipPairIsCoolant } = antminerFacts(model)
  const sorted: Sensors = { inlet: [], outlet: [], board: [], chip: [] }
  const targets: Readonly<Record<string, number[]>> = {
    I: sorted.inlet,
    O: sorted.outlet,
    B: sorted.board,
    C: sorted.chip,
  }
  const sort = (values: readonly (number | undefined)[], places: string) => {
    values.forEach((value, at) => {
      if (value !== undefined) targets[places[at] ?? '-']?.push(value)
    })
  }
  const isPair = chipPairIsCoolant === true && chain.chip.filter((value) => value !== undefined).length === 2
  sort(chain.pic, temps.pic ?? usual.pic)
  sort(chain.pcb, temps.pcb ?? usual.pcb)
  sort(
    isPair ? chain.chip.filter((value) => value !== undefined) : chain.chip,
    isPair ? 'IO' : (temps.chip ?? usual.chip),
  )
  return sorted
}

/** So long after its start a miner may still look for its boards, s. */
const searchS = 300

/** The boards as the record has them; undefined if this reply says nothing of boards, or not yet. */
export function boardsOf({ chains, elapsedS = 0 }: Stats, model: Model): Board[] | undefined {
  if (!chains || (chains.length === 0 && elapsedS < searchS)) return undefined
  const most = Math.max(0, ...chains.map((chain) => chain.chips ?? 0))
  return chains.map((chain) => {
    const { inlet, outlet, board, chip } = sensorsOf(chain, model)
    const dead = chain.map?.match(/x/g)?.length ?? 0
    return {
      slot: chain.slot,
      ...defined({
        serial: chain.serial,
        hashrateThs: chain.rateThs,
        expectedHashrateThs: chain.idealThs,
        chips: chain.chips === undefined ? undefined : Math.max(0, chain.chips - dead),
        expectedChips: expectedChips(model, most),
        frequencyMhz: chain.frequencyMhz,
        boardTempC: mean(board),
        chipTempMinC: lowest(chip),
        chipTempMaxC: highest(chip),
        chipTempAvgC: mean(chip),
        // A board heats what is near it: the coolest sensor is nearest to what comes in, the hottest to what goes out.
        inletTempC: lowest(inlet),
        outletTempC: highest(outlet),
        hwErrors: chain.hwErrors,
        hwErrorPct: chain.hwErrorPct,
        chipMap: chain.map,
      }),
    }
  })
}

/** The hottest single sensor of all boards; their own value is the mean of theirs. */
export function hottestBoard({ chains }: Stats, model: Model): number | undefined {
  return highest((chains ?? []).flatMap((chain) => sensorsOf(chain, model).board))
}

/** Hydro models count four fans that all stand still, and have none. */
export function fansOf({ fans }: Stats, model: Model): Fan[] | undefined {
  if (!fans) return undefined
  if (model.fans === 0 && fans.every((rpm) => !rpm)) return []
  return fans.flatMap((rpm, index) => (rpm === undefined ? [] : [{ index, rpm }]))
}
