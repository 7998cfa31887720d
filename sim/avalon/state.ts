import type { Drive } from '../drive.js'
import { Machine, type MachineOptions } from '../machine.js'
import type { PoolEntry } from '../pools.js'
import type { AvalonRow } from './rows.js'

const poolPlaces = 3
const industrialModes: readonly Drive['mode'][] = ['normal', 'high']
const homeModes: readonly Drive['mode'][] = ['low', 'normal', 'high']

/** What an Avalon remembers. Pools and modes of industrial models count from the next start. */
export class AvalonState {
  readonly machine: Machine<AvalonRow>
  readonly row: AvalonRow
  password = 'root'
  led = false
  mode: number
  /** %; undefined: as the miner wants. */
  fanPct: number | undefined
  #nextPools: PoolEntry[] | undefined

  constructor(row: AvalonRow, options: MachineOptions) {
    this.row = row
    this.machine = new Machine(row, { vendorMac: 'B4:A2:EB', hostname: 'avalon' }, options)
    this.mode = row.home ? 1 : 0
  }

  /** Industrial models count from their start, for they have no clock. */
  get when(): number {
    return Math.floor(this.row.home ? this.machine.clock.now() / 1000 : this.machine.physics.read().uptimeS)
  }

  get modes(): readonly Drive['mode'][] {
    return this.row.home ? homeModes : industrialModes
  }

  get isOn(): boolean {
    return this.machine.physics.drive.awake
  }

  setMode(number: number): boolean {
    const mode = this.modes[number]
    if (!mode) return false
    this.mode = number
    if (this.row.home) this.machine.change({ mode })
    return true
  }

  setPool(place: number, pool: PoolEntry): boolean {
    if (!(place >= 0 && place < poolPlaces)) return false
    const pools = this.#nextPools ?? [...this.machine.pools.entries]
    pools[place] = pool
    this.#nextPools = pools
    return true
  }

  reboot() {
    if (this.#nextPools) this.machine.setPools(this.#nextPools, 'slide')
    this.#nextPools = undefined
    this.machine.change({ mode: this.modes[this.mode]! })
    this.machine.reboot()
  }

  factoryReset() {
    this.password = 'root'
    this.fanPct = undefined
    this.mode = this.row.home ? 1 : 0
    this.reboot()
  }
}
