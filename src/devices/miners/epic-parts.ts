import type { Board, DeviceError, Tuning } from '#model'
import { fanStopped } from '../kit/fan-stopped.js'
import { defined, highest, lowest, mean } from '../kit/values.js'
import { type Capabilities, chipRates, type PerBoard, type Summary, temperaturesOf } from './epic-replies.js'

export interface Others {
  readonly capabilities?: Capabilities
  readonly temps?: PerBoard
  readonly chips?: PerBoard
  readonly chipTemps?: PerBoard
}

export function isIdle({ state }: Summary): boolean {
  return /^idl/i.test(state)
}

/** It rests because it was told so: not over an error, and not because its pool is away. */
export function isAsleep(summary: Summary): boolean {
  const waits = summary.idlesWithoutPool && summary.isConnected === false
  return isIdle(summary) && summary.lastError === undefined && !waits
}

/** The places of all boards with what those that are on measure; one that is switched off stays in its place. */
export function boardsOf(summary: Summary, all: Others): Board[] | undefined {
  const { places, boards, tune } = summary
  const serials = serialsOf(summary, all.capabilities)
  const slots = [...new Set([...places, ...boards].map(({ slot }) => slot))].sort((a, b) => a - b)
  if (slots.length === 0) return undefined
  return slots.map((slot) => {
    const place = places.find((each) => each.slot === slot)
    const now = boards.find((each) => each.slot === slot)
    const rates = chipRates(all.chips?.get(slot))
    const works = rates?.filter((rate) => rate !== undefined && rate > 0).length
    const [inlet, outlet] = temperaturesOf(all.temps?.get(slot))
    const chips = temperaturesOf(all.chipTemps?.get(slot))
    return {
      slot,
      ...defined({
        serial: serials.get(slot),
        status: statusOf(place),
        hashrateThs: now?.rateThs,
        expectedHashrateThs: now?.idealThs,
        chips: works,
        expectedChips: all.capabilities?.chips,
        frequencyMhz: now?.frequencyMhz,
        voltageV: now?.voltageV,
        powerW: now?.powerW,
        boardTempC: now?.temperatureC ?? highest([inlet, outlet]),
        inletTempC: inlet,
        outletTempC: outlet,
        chipTempMinC: lowest(chips),
        chipTempMaxC: highest(chips),
        chipTempAvgC: mean(chips),
        hwErrorPct: now?.errorPct,
        tuned: tune?.optimized,
        chipMap: rates?.map((rate) => (rate ? 'o' : 'x')).join(''),
      }),
    }
  })
}

function statusOf(place: Summary['places'][number] | undefined): Board['status'] {
  if (!place) return undefined
  if (!place.detected) return 'missing'
  return place.enabled ? undefined : 'disabled'
}

/** The list has no places: it is joined only where as many boards are on, or are seen, as it has entries. */
function serialsOf({ boards, places }: Summary, capabilities: Capabilities | undefined): Map<number, string> {
  const serials = capabilities?.boardSerials ?? []
  const on = boards.map(({ slot }) => slot).sort((a, b) => a - b)
  const seen = places.filter(({ detected }) => detected).map(({ slot }) => slot)
  const slots = [on, seen].find((each) => each.length === serials.length) ?? []
  return new Map(slots.map((slot, at) => [slot, serials[at]!]))
}

export function tuningOf(summary: Summary): Tuning | undefined {
  const { tune, presetW } = summary
  if (isAsleep(summary)) return { mode: 'sleep' }
  if (!tune) return presetW === undefined ? undefined : { targetW: presetW }
  const runs = tune.running && tune.target !== undefined
  return {
    mode: tune.running ? 'custom' : 'normal',
    ...defined({
      preset: tune.algorithm || undefined,
      targetThs: runs && tune.unit === 'TH/s' ? tune.target : undefined,
      targetW: runs && tune.unit === 'W' ? tune.target : presetW,
      tuned: tune.optimized,
    }),
  }
}

export function meanOf(boards: Summary['boards'], key: 'errorPct' | 'frequencyMhz'): number | undefined {
  return mean(boards.map((board) => board[key]))
}

export function sumOf(boards: Summary['boards'], key: 'rateThs' | 'idealThs'): number | undefined {
  const known = boards.map((board) => board[key]).filter((value) => value !== undefined)
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) : undefined
}

interface Meaning {
  readonly code: string
  readonly component: DeviceError['component']
  readonly severity: DeviceError['severity']
  readonly cause?: string
  readonly action: string
}

/** The errors that the firmware names (protocols/epic.md §4); what it may add is told by its words. */
const meanings: readonly (readonly [pattern: RegExp, meaning: Meaning])[] = [
  [
    /^RxMissing/i,
    {
      code: 'board-silent',
      component: 'board',
      severity: 'high',
      cause: 'Chips do not answer the controller.',
      action: 'Check the data cables of the boards; reboot; have the board repaired.',
    },
  ],
  [
    /^NoHash ?boardsConnected/i,
    {
      code: 'board-missing',
      component: 'board',
      severity: 'critical',
      cause: 'No board is plugged in, or none has power.',
      action: 'Check cables and power of all boards.',
    },
  ],
  [
    /^NoHash ?boardsEnabled/i,
    {
      code: 'boards-disabled',
      component: 'board',
      severity: 'high',
      cause: 'All boards are switched off in its settings.',
      action: 'Switch boards on again on its web page.',
    },
  ],
  [
    /^MismatchingBoard/i,
    {
      code: 'board-mismatch',
      component: 'board',
      severity: 'high',
      cause: 'Boards of different models are in one machine.',
      action: 'Use boards of one model.',
    },
  ],
  [
    /temp|heat/i,
    {
      code: 'too-hot',
      component: 'cooling',
      severity: 'critical',
      cause: 'Air or coolant too warm, or fans too weak.',
      action: 'Check air, coolant, fans and dust.',
    },
  ],
  [
    /fan/i,
    { code: 'fan', component: 'fan', severity: 'high', action: 'Check and replace the fan; the miner may overheat.' },
  ],
  [
    /psu|power|volt/i,
    {
      code: 'psu',
      component: 'psu',
      severity: 'high',
      action: 'Check mains and power supply; replace the power supply.',
    },
  ],
  [
    /pool|stratum|network|connection/i,
    {
      code: 'pool-connection',
      component: 'pool',
      severity: 'high',
      action: 'Check the network and the pool addresses.',
    },
  ],
  [
    /chip|asic|board|hb/i,
    {
      code: 'board-fault',
      component: 'board',
      severity: 'high',
      action: 'Reboot; look at its boards; have them repaired.',
    },
  ],
]
const other: Meaning = {
  code: 'vendor-error',
  component: 'device',
  severity: 'medium',
  action: 'Look at its log; reboot if it does not mine.',
}

/** Everything that the summary says is wrong. */
export function epicErrors(summary: Summary): DeviceError[] {
  return [...statusErrors(summary), ...fanErrors(summary), ...heatErrors(summary)]
}

function statusErrors({ lastError, licenseError }: Summary): DeviceError[] {
  const found: DeviceError[] = []
  if (lastError !== undefined) {
    const { cause, ...meaning } = meanings.find(([pattern]) => pattern.test(lastError))?.[1] ?? other
    const message = `The miner says: ${lastError}.`
    found.push({ ...meaning, ...(cause === undefined ? {} : { cause }), vendorCode: lastError.slice(0, 64), message })
  }
  if (licenseError !== undefined)
    found.push({
      code: 'license',
      vendorCode: licenseError.slice(0, 64),
      severity: 'medium',
      component: 'control',
      message: `The license of the firmware has a fault: ${licenseError}.`,
      action: 'Renew it with the vendor.',
    })
  return found
}

function fanErrors({ fans, boards }: Summary): DeviceError[] {
  return boards.some(({ rateThs }) => rateThs) ? fans.filter(({ rpm }) => rpm === 0).map(fanStopped) : []
}

function heatErrors({ boards, shutdownC, tune }: Summary): DeviceError[] {
  const found: DeviceError[] = []
  for (const { slot, temperatureC } of boards) {
    if (shutdownC === undefined || temperatureC === undefined || temperatureC < shutdownC) continue
    found.push({
      code: 'board-hot',
      severity: 'critical',
      component: 'board',
      index: slot,
      message: `Board ${slot} has ${temperatureC} °C; the miner stops at ${shutdownC} °C.`,
      action: 'Check air, coolant, fans and dust.',
    })
  }
  if (tune?.throttled !== undefined && tune.target !== undefined && tune.throttled < tune.target)
    found.push({
      code: 'throttled',
      severity: 'medium',
      component: 'cooling',
      message: `Heat has lowered its target from ${tune.target} to ${tune.throttled} ${tune.unit ?? ''}.`.replace(
        / \.$/,
        '.',
      ),
      cause: 'Its temperature is near the one at which it stops.',
      action: 'Improve the cooling, or lower the target.',
    })
  return found
}
