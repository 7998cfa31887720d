import { Machine, type MachineOptions } from '../machine.js'
import type { Reading } from '../physics.js'
import type { PoolEntry } from '../pools.js'
import type { BraiinsRow } from './rows.js'

/** What Braiins OS remembers, whichever interface asks. */
export class BraiinsState {
  readonly machine: Machine<BraiinsRow>
  readonly row: BraiinsRow
  password = 'root'
  locate = false
  fanRatio: number | undefined
  targetW: number
  targetThs: number | undefined
  readonly token: string

  constructor(row: BraiinsRow, options: MachineOptions) {
    this.row = row
    this.machine = new Machine(row, { vendorMac: '02:34:98', hostname: 'Antminer' }, options)
    this.targetW = Math.round(row.nominalThs * row.efficiencyJTh)
    this.token = `simulated-${this.machine.serial}`
  }

  get isOn(): boolean {
    return this.machine.physics.drive.awake
  }

  get model(): string {
    return `Antminer ${this.row.model}`
  }

  read(): Reading {
    return this.machine.physics.read()
  }

  setTarget(watts: number): boolean {
    const { min, max } = this.row.targetW
    if (!(watts >= min && watts <= max)) return false
    this.targetW = watts
    this.targetThs = undefined
    this.machine.change({ limitW: watts })
    return true
  }

  setHashrate(ths: number): boolean {
    if (!(ths > 0 && ths <= this.row.nominalThs * 1.2)) return false
    this.targetThs = ths
    this.machine.change({ frequencyPct: Math.min(0, (ths / this.row.nominalThs - 1) * 100) })
    return true
  }

  setPools(pools: readonly PoolEntry[]): boolean {
    if (pools.length === 0 || pools.some(({ url, user }) => !url.includes('://') || !user)) return false
    this.machine.setPools(pools, 'slide')
    return true
  }

  sleep(asleep: boolean) {
    this.machine.change({ awake: !asleep }, asleep ? 'slide' : 'restart')
  }

  factoryReset() {
    this.password = 'root'
    this.machine.reboot()
  }
}
