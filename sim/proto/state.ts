import type { Hardware } from '../hardware.js'
import { asFields, type Fields } from '../json.js'
import { Machine, type MachineOptions } from '../machine.js'
import type { PoolEntry } from '../pools.js'

export interface ProtoRow extends Hardware {
  readonly firmware: string
  readonly chip: string
  /** Bays, counted from 1, in which there are boards: a rig may have gaps. */
  readonly bays: readonly number[]
  readonly minW: number
  readonly maxW: number
}

export const protoRows: readonly ProtoRow[] = [
  // biome-ignore format: one row a model
  { model: 'Rig', cooling: 'air', boards: 4, chips: 120, fans: 4, nominalThs: 145, efficiencyJTh: 23.4, frequencyMhz: 500,
    firmware: '1.8.0', chip: 'BM1370', bays: [1, 2, 3, 4], minW: 1000, maxW: 4000 },
]

const poolPlaces = 3
export const protoPassword = 'simulated'
/** A bearer is good for so long, s. */
const tokenLifeS = 3600

/** What a Proto Rig remembers. */
export class ProtoState {
  readonly machine: Machine<ProtoRow>
  readonly row: ProtoRow
  password: string | undefined = protoPassword
  firmware: string
  targetW: number
  goal: 'MaximumHashrate' | 'Efficiency' = 'MaximumHashrate'
  fan: { mode: 'Auto' | 'Manual'; dutyPct: number; targetC: number } = { mode: 'Auto', dutyPct: 60, targetC: 50 }
  blinksUntil = 0
  readonly #tokens = new Map<string, number>()

  constructor(row: ProtoRow, options: MachineOptions) {
    this.row = row
    this.machine = new Machine(row, { vendorMac: '02:00:00', hostname: 'proto-miner' }, options)
    this.firmware = row.firmware
    this.targetW = Math.round(row.nominalThs * row.efficiencyJTh)
  }

  signIn(password: unknown): string | undefined {
    if (this.password === undefined || password !== this.password) return undefined
    const token = `sim.${this.machine.seed}.${this.#tokens.size}`
    this.#tokens.set(token, this.machine.clock.now() / 1000 + tokenLifeS)
    return token
  }

  isSignedIn(header: string | undefined): boolean {
    const until = this.#tokens.get(header?.replace(/^Bearer /, '') ?? '')
    return until !== undefined && until > this.machine.clock.now() / 1000
  }

  setPassword(password: string) {
    this.password = password
    this.#tokens.clear()
  }

  /** False outside of what the rig takes. */
  setTarget(body: Fields): boolean {
    const watts = body.power_target_watts ?? this.targetW
    const goal = body.performance_mode ?? this.goal
    if (typeof watts !== 'number' || watts < this.row.minW || watts > this.row.maxW) return false
    if (goal !== 'MaximumHashrate' && goal !== 'Efficiency') return false
    this.targetW = watts
    this.goal = goal
    this.machine.change({ limitW: watts, mode: goal === 'Efficiency' ? 'low' : 'normal' })
    return true
  }

  setCooling(body: Fields): boolean {
    const { mode, speed_percentage: speed, target_temperature_c: target } = body
    if (mode === 'Manual' && typeof speed === 'number' && speed >= 0 && speed <= 100)
      this.fan = { ...this.fan, mode, dutyPct: speed }
    else if (mode === 'Auto') this.fan = { ...this.fan, mode, targetC: typeof target === 'number' ? target : 50 }
    else return false
    return true
  }

  setPools(body: unknown): boolean {
    if (!Array.isArray(body) || body.length === 0 || body.length > poolPlaces) return false
    const pools = body.map((each): PoolEntry | undefined => {
      const { url, username, password } = asFields(each) ?? {}
      if (typeof url !== 'string' || !url.includes('://') || typeof username !== 'string') return undefined
      return { url, user: username, pass: typeof password === 'string' ? password : '' }
    })
    if (!pools.every((pool) => pool !== undefined)) return false
    this.machine.setPools(pools, 'restart')
    return true
  }

  setNetwork(body: unknown): boolean {
    const { dhcp, ip, netmask, gateway, hostname } = asFields(asFields(body)?.['network-config']) ?? {}
    const { network } = this.machine
    if (typeof dhcp !== 'boolean') return false
    if (typeof ip === 'string' && typeof netmask === 'string' && typeof gateway === 'string')
      this.machine.network = { ...network, dhcp, ip, netmask, gateway }
    else if (!dhcp) return false
    else this.machine.network = { ...network, dhcp }
    if (typeof hostname === 'string') this.machine.hostname = hostname
    return true
  }
}
