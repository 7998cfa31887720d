import type { Clock } from '#model'
import { type Fault, type FaultKind, faultKey } from './faults.js'
import type { Hardware } from './hardware.js'
import { Physics } from './physics.js'
import { type PoolEntry, Pools } from './pools.js'
import { letters, sequence } from './random.js'

export interface MachineOptions {
  readonly clock: Clock
  readonly seed: number
  /** The address it believes to have. */
  readonly address: string
  readonly speed?: number | undefined
  readonly elapsedS?: number | undefined
}

export interface NetworkState {
  dhcp: boolean
  ip: string
  netmask: string
  gateway: string
  dns: string[]
}

const hex = '0123456789ABCDEF'
const capitals = 'ABCDEFGHJKLMNPQRSTUVWXYZ0123456789'

/** What every simulated miner is, whatever it speaks: hardware, physics, pools, a place in the network, and its faults. */
export class Machine<H extends Hardware = Hardware> {
  readonly hardware: H
  readonly clock: Clock
  readonly seed: number
  readonly physics: Physics
  readonly pools: Pools
  readonly mac: string
  readonly serial: string
  readonly boardSerials: readonly string[]
  readonly #faults = new Map<string, { fault: Fault; since: number }>()
  hostname: string
  network: NetworkState
  /** Whoever holds its connections cuts them. */
  onReboot: () => void = () => {}

  constructor(hardware: H, names: { vendorMac: string; hostname: string }, options: MachineOptions) {
    const { clock, seed, address, speed, elapsedS } = options
    this.hardware = hardware
    this.clock = clock
    this.seed = seed
    this.hostname = names.hostname
    const next = sequence(seed)
    this.mac = `${names.vendorMac}:${Array.from({ length: 6 - names.vendorMac.split(':').length }, () => letters(next, 2, hex)).join(':')}`
    this.serial = `SIM${letters(next, 13, capitals)}`
    this.boardSerials = Array.from({ length: hardware.boards }, (_, slot) => `SIM${letters(next, 14, capitals)}${slot}`)
    this.network = {
      dhcp: true,
      ip: address,
      netmask: '255.255.255.0',
      gateway: address.replace(/\d+$/, '1'),
      dns: [address.replace(/\d+$/, '1')],
    }
    this.physics = new Physics(hardware, {
      clock,
      seed,
      ...(speed === undefined ? {} : { speed }),
      ...(elapsedS === undefined ? {} : { elapsedS }),
    })
    this.pools = new Pools(seed, hardware.nominalThs, () => this.physics.work())
    const user = `simulated.${seed.toString(36)}`
    this.pools.set(
      ['pool-a', 'pool-b', 'pool-c'].map((name) => ({ url: `stratum+tcp://${name}.example:3333`, user, pass: 'x' })),
    )
    // It has been mining since long before: for the first pool.
    this.pools.reset(0)
  }

  /** Settings and breakages both change the drive; work done until now is booked before. */
  change(drive: Parameters<Physics['change']>[0], how: 'restart' | 'slide' = 'slide') {
    this.pools.settle()
    this.physics.change(drive, how)
    if (how === 'restart') this.pools.reset()
  }

  restart() {
    this.physics.restart()
    this.pools.reset()
  }

  reboot() {
    this.physics.reboot()
    this.pools.reset()
    this.onReboot()
  }

  setPools(pools: readonly PoolEntry[], how: 'restart' | 'slide') {
    this.pools.set(pools)
    this.change({ hasWork: this.pools.hasWork }, how)
  }

  has(kind: FaultKind): boolean {
    return this.#faults.size > 0 && this.faults.some((fault) => fault.kind === kind)
  }

  fault<K extends FaultKind>(kind: K): Extract<Fault, { kind: K }> | undefined {
    if (this.#faults.size === 0) return undefined
    return this.faults.find((fault): fault is Extract<Fault, { kind: K }> => fault.kind === kind)
  }

  get faults(): Fault[] {
    return [...this.#faults.values()].map(({ fault }) => fault)
  }

  /** The hardware faults with the time they came (ms), as the firmware of the miner would have noted them. */
  get troubles(): { fault: Fault; since: number }[] {
    return [...this.#faults.values()]
  }

  break(fault: Fault) {
    this.#faults.set(faultKey(fault), { fault, since: this.clock.now() })
    this.#applyFaults()
  }

  /** One fault, all of a kind, or all. */
  heal(which?: Fault | FaultKind) {
    if (which === undefined) this.#faults.clear()
    else if (typeof which === 'object') this.#faults.delete(faultKey(which))
    else for (const [key, { fault }] of this.#faults) if (fault.kind === which) this.#faults.delete(key)
    this.#applyFaults()
  }

  #applyFaults() {
    const { faults } = this
    const lost = faults.flatMap((fault) => (fault.kind === 'boardLost' ? [fault.slot] : []))
    const stopped = faults.flatMap((fault) => (fault.kind === 'fanStopped' ? [fault.index] : []))
    const dead = faults.flatMap((fault) => (fault.kind === 'poolDead' ? [fault.index] : []))
    const { boards, fans } = this.hardware
    this.pools.setDead(dead)
    this.change({
      lostBoards: new Set(lost.filter((slot) => slot < boards)),
      stoppedFans: new Set(stopped.filter((index) => index < fans)),
      hasWork: this.pools.hasWork,
      blocked: this.has('overheated'),
    })
  }
}
