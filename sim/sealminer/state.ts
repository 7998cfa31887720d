import type { Drive } from '../drive.js'
import type { Hardware } from '../hardware.js'
import type { Fields } from '../json.js'
import { Machine, type MachineOptions } from '../machine.js'

export interface SealminerRow extends Hardware {
  readonly asic: string
  readonly board: string
  readonly firmware: string
}

export const sealminerRows: readonly SealminerRow[] = [
  // biome-ignore format: one row a model
  { model: 'A2', asic: 'Seal02-V1', board: 'taurus_air_v1.1', firmware: '2025091001',
    cooling: 'air', boards: 3, chips: 153, fans: 4, nominalThs: 226, efficiencyJTh: 16.5, frequencyMhz: 346 },
]

export const sealAccount = { username: 'seal', password: 'simulated' } as const
/** The numbers that its modes have. */
export const modeNumbers = { low: 0, normal: 2, high: 3 } as const

/** What a SealMiner remembers. */
export class SealminerState {
  readonly machine: Machine<SealminerRow>
  readonly row: SealminerRow
  led = false
  mode: Drive['mode'] = 'normal'
  #session = 0

  constructor(row: SealminerRow, options: MachineOptions) {
    this.row = row
    this.machine = new Machine(row, { vendorMac: '50:D4:48', hostname: 'sealminer' }, options)
  }

  get when(): number {
    return Math.floor(this.machine.clock.now() / 1000)
  }

  get cookie(): string {
    return `PHPSESSID=sim${this.machine.seed}n${this.#session}`
  }

  signIn(user: string | null, password: string | null): boolean {
    if (user !== sealAccount.username || password !== sealAccount.password) return false
    this.#session++
    return true
  }

  setMode({ miningMode }: Fields): boolean {
    const mode = (Object.keys(modeNumbers) as Drive['mode'][]).find((name) => modeNumbers[name] === miningMode)
    if (!mode) return false
    this.mode = mode
    this.machine.change({ mode })
    return true
  }
}
