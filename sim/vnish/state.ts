import { powerOf } from '../drive.js'
import type { Hardware } from '../hardware.js'
import { asFields, type Fields } from '../json.js'
import { Machine, type MachineOptions } from '../machine.js'
import { startS } from '../physics.js'

/** How an Antminer with VNish speaks beside its hardware (protocols/vnish.md). */
export interface VnishRow extends Hardware {
  readonly version: string
  readonly platform: string
  /** From 1.3 on: `boards` in the place of `chips`, `locate-miner` in the place of `find-miner`, `throttle`. */
  readonly newer: boolean
}

export const vnishRows: readonly VnishRow[] = [
  // biome-ignore format: one row a model
  { model: 'T21', version: '1.2.7', platform: 'aml', newer: false,
    cooling: 'air', boards: 3, chips: 108, fans: 4, nominalThs: 190, efficiencyJTh: 19, frequencyMhz: 480 },
  // biome-ignore format: one row a model
  { model: 'S19a Pro', version: '1.3.4', platform: 'xil', newer: true,
    cooling: 'air', boards: 3, chips: 100, fans: 4, nominalThs: 110, efficiencyJTh: 29.5, frequencyMhz: 525 },
]

export interface Preset {
  readonly name: string
  readonly ths: number
  readonly level: number
}

/** Levels of the presets, as shares of the nominal hashrate. */
const levels = [0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2]
/** A token ends so long after its last use, ms. */
const tokenMs = 1_800_000

/** What a miner with VNish remembers. Pools and presets count from the next start of mining. */
export class VnishState {
  readonly machine: Machine<VnishRow>
  readonly row: VnishRow
  readonly presets: readonly Preset[]
  preset: Preset
  password = 'admin'
  version: string
  locate = false
  throttledPct = 100
  timezone = 'GMT'
  cooling: Fields = { mode: { name: 'auto', param: 65 }, fan_min_count: 4, fan_min_duty: 10, fan_max_duty: 100 }
  overclock: Fields
  /** Wrong passwords in a row. */
  misses = 0
  #waiting: (() => void)[] = []
  #token: { readonly text: string; usedAt: number } | undefined
  #tokens = 0

  constructor(row: VnishRow, options: MachineOptions) {
    this.row = row
    this.version = row.version
    this.machine = new Machine(row, { vendorMac: '02:95:23', hostname: 'Antminer' }, options)
    this.presets = levels.map((level) => ({
      level,
      name: String(Math.round((row.nominalThs * row.efficiencyJTh * powerOf(level)) / 10) * 10),
      ths: Math.round(row.nominalThs * level),
    }))
    this.preset = this.presets[levels.indexOf(1)]!
    this.overclock = {
      modded_psu: false,
      preset: this.preset.name,
      preset_switcher: {
        enabled: true,
        top_preset: this.presets.at(-1)!.name,
        min_preset: this.presets[0]!.name,
        decrease_temp: 75,
      },
    }
  }

  get name(): string {
    return `Antminer ${this.row.model}`
  }

  get when(): number {
    return Math.floor(this.machine.clock.now() / 1000)
  }

  get restartRequired(): boolean {
    return this.#waiting.length > 0
  }

  get stateName(): string {
    const { physics } = this.machine
    if (!physics.drive.awake) return 'stopped'
    const { elapsedS, tuned } = physics.read()
    return elapsedS < startS ? 'starting' : tuned ? 'mining' : 'auto-tuning'
  }

  unlock(password: unknown): string | undefined {
    if (password !== this.password) {
      this.misses++
      return undefined
    }
    this.misses = 0
    const text = `simulated-${this.machine.serial}-${++this.#tokens}`
    this.#token = { text, usedAt: this.machine.clock.now() }
    return text
  }

  isUnlocked(authorization: string | undefined): boolean {
    const now = this.machine.clock.now()
    if (!this.#token || now - this.#token.usedAt > tokenMs) return false
    if (authorization !== `Bearer ${this.#token.text}`) return false
    this.#token.usedAt = now
    return true
  }

  sleep(asleep: boolean) {
    this.machine.change({ awake: !asleep }, asleep ? 'slide' : 'restart')
  }

  throttle(percent: number) {
    this.throttledPct = percent
    this.machine.change({ powerPct: percent })
  }

  restart() {
    for (const change of this.#waiting) change()
    this.#waiting = []
    this.machine.restart()
  }

  /** Takes a part of the settings; the words of a refusal, or nothing. */
  take({ miner, network, password, regional }: Fields): string | undefined {
    const { pools, cooling, overclock } = asFields(miner) ?? {}
    if (password !== undefined) {
      const { current, pw } = asFields(password) ?? {}
      if (current !== this.password || typeof pw !== 'string') return 'wrong password'
      this.password = pw
      this.#token = undefined
    }
    if (pools !== undefined) {
      if (!Array.isArray(pools) || pools.length !== 3) return 'pools: exactly 3 entries are expected'
      const list = pools.map(asFields).filter((pool) => pool?.url !== '')
      const entries = list.map((pool) => ({
        url: String(pool?.url),
        user: String(pool?.user),
        pass: String(pool?.pass),
      }))
      this.#waiting.push(() => this.machine.setPools(entries, 'slide'))
    }
    if (overclock !== undefined) {
      const next = { ...this.overclock, ...asFields(overclock) }
      const preset = this.presets.find(({ name }) => name === next.preset)
      if (!preset) return 'unknown preset'
      this.overclock = next
      this.#waiting.push(() => {
        this.preset = preset
        this.machine.change({ frequencyPct: (preset.level - 1) * 100 })
      })
    }
    if (cooling !== undefined) this.cooling = { ...this.cooling, ...asFields(cooling) }
    if (network !== undefined) this.#takeNetwork(asFields(network) ?? {})
    const zone = asFields(asFields(regional)?.timezone)?.current
    if (typeof zone === 'string') this.timezone = zone
    return undefined
  }

  #takeNetwork({ dhcp, ipaddress, netmask, gateway, dnsservers, hostname }: Fields) {
    const { machine } = this
    if (typeof hostname === 'string') machine.hostname = hostname
    if (dhcp === true) machine.network = { ...machine.network, dhcp: true }
    if (dhcp !== false) return
    const dns = Array.isArray(dnsservers) ? dnsservers.map(String) : []
    machine.network = { dhcp, ip: String(ipaddress), netmask: String(netmask), gateway: String(gateway), dns }
  }

  /** Whatever image comes, it is the next version. */
  update() {
    this.version = `${this.row.version}.1`
    this.machine.reboot()
  }

  factoryReset() {
    this.password = 'admin'
    this.#waiting = []
    this.machine.reboot()
  }
}
