import type { Drive } from '../drive.js'
import type { Hardware } from '../hardware.js'
import { asFields, type Fields } from '../json.js'
import { Machine, type MachineOptions } from '../machine.js'
import type { PoolEntry } from '../pools.js'

export interface AuradineRow extends Hardware {
  readonly firmware: string
  readonly type: string
  readonly mostW: number
}

export const auradineRows: readonly AuradineRow[] = [
  // biome-ignore format: one row a model
  { model: 'AT2880', type: 'T1', firmware: '2024-06.11', cooling: 'air', boards: 3, chips: 138, fans: 4, nominalThs: 180, efficiencyJTh: 16, frequencyMhz: 330, mostW: 3600 },
]

export const fluxAccount = { username: 'admin', password: 'admin' } as const
const modes: Readonly<Record<string, Drive['mode']>> = { eco: 'low', normal: 'normal', turbo: 'high' }
const poolPlaces = 3
const tokenLifeS = 3600

/** What a Teraflux remembers, whichever of its two interfaces asks. */
export class AuradineState {
  readonly machine: Machine<AuradineRow>
  readonly row: AuradineRow
  mode = 'normal'
  watts: number
  ths: number
  led = 2
  fanPct = 90
  readonly #tokens = new Map<string, number>()

  constructor(row: AuradineRow, options: MachineOptions) {
    this.row = row
    this.machine = new Machine(row, { vendorMac: '1C:00:00', hostname: 'teraflux' }, options)
    this.watts = this.machine.physics.nominalW
    this.ths = row.nominalThs
  }

  get when(): number {
    return Math.floor(this.machine.clock.now() / 1000)
  }

  get asleep(): boolean {
    return !this.machine.physics.drive.awake
  }

  signIn({ user, password }: Fields): string | undefined {
    if (user !== fluxAccount.username || password !== fluxAccount.password) return undefined
    const token = `sim-${this.machine.seed}-${this.#tokens.size}`
    this.#tokens.set(token, this.when + tokenLifeS)
    return token
  }

  isSignedIn(token: string | undefined): boolean {
    return (this.#tokens.get(token ?? '') ?? 0) > this.when
  }

  setMode({ sleep, mode, tune, power, ths }: Fields): boolean {
    if (sleep === 'on' || sleep === 'off') {
      this.machine.change({ awake: sleep === 'off' }, sleep === 'on' ? 'slide' : 'restart')
      return true
    }
    if (mode === 'custom' && tune === 'power' && typeof power === 'number' && power > 0) {
      this.watts = power
      this.machine.change({ mode: 'normal', limitW: power, frequencyPct: 0 })
    } else if (mode === 'custom' && tune === 'ths' && typeof ths === 'number' && ths > 0) {
      this.ths = ths
      this.machine.change({ mode: 'normal', limitW: null, frequencyPct: (ths / this.row.nominalThs) * 100 - 100 })
    } else if (typeof mode === 'string' && Object.hasOwn(modes, mode)) {
      this.machine.change({ mode: modes[mode]!, limitW: null, frequencyPct: 0 })
    } else return false
    this.mode = String(mode)
    return true
  }

  setPools({ pools }: Fields): boolean {
    if (!Array.isArray(pools) || pools.length === 0 || pools.length > poolPlaces) return false
    const entries = pools.map((each): PoolEntry | undefined => {
      const { url, user, pass } = asFields(each) ?? {}
      return typeof url === 'string' && typeof user === 'string' ? { url, user, pass: String(pass ?? '') } : undefined
    })
    if (!entries.every((entry) => entry !== undefined)) return false
    this.machine.setPools(entries, 'restart')
    return true
  }

  setFan({ index, percentage }: Fields): boolean {
    if (!(Number(index) >= 1 && Number(index) <= this.row.fans)) return false
    if (typeof percentage !== 'number' || percentage < 0 || percentage > 100) return false
    this.fanPct = percentage
    return true
  }

  factoryReset() {
    this.mode = 'normal'
    this.led = 2
    this.machine.change({ awake: true, mode: 'normal', limitW: null, frequencyPct: 0 })
    this.machine.reboot()
  }
}
