import { createHash } from 'node:crypto'
import type { Hardware } from '../hardware.js'
import { asFields, type Fields } from '../json.js'
import { Machine, type MachineOptions } from '../machine.js'
import type { PoolEntry } from '../pools.js'

export interface EpicRow extends Hardware {
  /** How the firmware names the model. */
  readonly title: string
  readonly chip: string
  readonly software: string
  readonly system: string
}

export const epicRows: readonly EpicRow[] = [
  // biome-ignore format: one row a model
  { model: 'S19j Pro', title: 'AntMiner S19j Pro', chip: 'BM1362', software: 'PowerPlay-BMS v1.5.13', system: 'umcOS',
    cooling: 'air', boards: 3, chips: 126, fans: 4, nominalThs: 104, efficiencyJTh: 29.5, frequencyMhz: 545 },
  // biome-ignore format: one row a model
  { model: 'BlockMiner 520i', title: 'BLOCKMINER 520i', chip: 'BMI', software: 'PowerPlay v1.16.0', system: 'epicOS',
    cooling: 'air', boards: 3, chips: 124, fans: 4, nominalThs: 138, efficiencyJTh: 26, frequencyMhz: 480 },
]

export const epicPassword = 'letmein'
const poolPlaces = 3

interface Tune {
  algo: string
  running: boolean
  target: number
  minThrottle: number
  step: number
}

/** What ePIC's firmware remembers. */
export class EpicState {
  readonly machine: Machine<EpicRow>
  readonly row: EpicRow
  password = epicPassword
  software: string
  blinks = false
  fanMode: { Auto: Fields } | { Manual: number } = { Auto: { 'Target Temperature': 60, 'Idle Speed': 20 } }
  minFans = 1
  uniqueId = true
  tune: Tune

  constructor(row: EpicRow, options: MachineOptions) {
    this.row = row
    this.machine = new Machine(row, { vendorMac: 'E6:D4:41', hostname: 'cminer' }, options)
    this.software = row.software
    const target = row.nominalThs
    this.tune = { algo: 'VoltageOptimizer', running: true, target, minThrottle: 50, step: 5 }
  }

  get limits(): Readonly<Record<string, readonly [number, number]>> {
    const { nominalW } = this.machine.physics
    const rates = [Math.round(this.row.nominalThs * 0.4), Math.round(this.row.nominalThs * 1.4)] as const
    return { VoltageOptimizer: rates, ChipTune: rates, Power: [Math.round(nominalW / 3), Math.round(nominalW * 1.3)] }
  }

  setTune(body: Fields): boolean {
    const { algo, target, min_throttle: least, throttle_step: step } = body
    const range = typeof algo === 'string' && Object.hasOwn(this.limits, algo) ? this.limits[algo] : undefined
    if (!range || typeof target !== 'number' || target < range[0] || target > range[1]) return false
    if (typeof least !== 'number' || typeof step !== 'number') return false
    this.tune = { ...this.tune, algo: String(algo), target, minThrottle: least, step }
    this.#follow()
    return true
  }

  setRunning(running: unknown): boolean {
    if (typeof running !== 'boolean') return false
    this.tune = { ...this.tune, running }
    this.#follow()
    return true
  }

  #follow() {
    const { algo, running, target } = this.tune
    const limitW = running && algo === 'Power' ? target : null
    const frequencyPct = running && algo !== 'Power' ? (target / this.row.nominalThs) * 100 - 100 : 0
    this.machine.change({ limitW, frequencyPct })
  }

  setPools(body: Fields): boolean {
    const configs = body.stratum_configs
    if (!Array.isArray(configs) || configs.length === 0 || configs.length > poolPlaces) return false
    const pools = configs.map((each): PoolEntry | undefined => {
      const { pool, login, password } = asFields(each) ?? {}
      if (typeof pool !== 'string' || typeof login !== 'string') return undefined
      return { url: pool, user: login, pass: String(password ?? '') }
    })
    if (!pools.every((pool) => pool !== undefined) || typeof body.coin !== 'string') return false
    this.uniqueId = body.unique_id === true
    this.machine.setPools(pools, 'restart')
    return true
  }

  setFans(body: Fields): boolean {
    const { Auto: auto, Manual: manual } = body
    if (typeof manual === 'number' && manual >= 0 && manual <= 100) this.fanMode = { Manual: manual }
    else if (asFields(auto)?.['Target Temperature'] !== undefined && asFields(auto)?.['Idle Speed'] !== undefined)
      this.fanMode = { Auto: auto as Fields }
    else return false
    return true
  }

  update(image: Buffer) {
    this.software = `PowerPlay v9.${createHash('sha256').update(image).digest('hex').slice(0, 6)}`
    this.machine.reboot()
  }
}
