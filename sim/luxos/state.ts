import { powerOf } from '../drive.js'
import type { Hardware } from '../hardware.js'
import { Machine, type MachineOptions } from '../machine.js'

/** How an Antminer with LuxOS speaks beside its hardware (protocols/luxos.md). */
export interface LuxosRow extends Hardware {
  readonly daemon: string
  readonly firmware: string
  readonly compiled: string
  readonly controlBoard: string
  readonly board: string
  readonly psu: string
}

export const luxosRows: readonly LuxosRow[] = [
  // biome-ignore format: one row a model
  { model: 'S19k Pro', daemon: '2025.4.8.220305-57b389c7', firmware: '2025.4.8.220305', compiled: 'Tue Apr  8 22:05:35 UTC 2025',
    controlBoard: 'cvitek', board: 'BHB56903', psu: 'APW121215e',
    cooling: 'air', boards: 3, chips: 77, fans: 4, nominalThs: 121.8, efficiencyJTh: 22.9, frequencyMhz: 590 },
  // biome-ignore format: one row a model
  { model: 'S19j Pro+', daemon: '2025.9.8.152528-e04420b4b', firmware: '2025.9.8.152528', compiled: 'Mon Sep  8 15:25:28 UTC 2025',
    controlBoard: 'am335x', board: 'BHB42831', psu: 'APW121215b',
    cooling: 'air', boards: 3, chips: 120, fans: 4, nominalThs: 122, efficiencyJTh: 27.5, frequencyMhz: 545 },
]

export interface Profile {
  readonly name: string
  readonly step: number
  readonly mhz: number
  readonly ths: number
  readonly watts: number
}

const stepMhz = 25
const lowestStep = -13
const highestStep = 8
/** A session ends by itself so long after its last command, ms. */
const idleMs = 60_000

function profilesOf({ frequencyMhz, nominalThs, efficiencyJTh }: LuxosRow): Profile[] {
  return Array.from({ length: highestStep - lowestStep + 1 }, (_, at) => {
    const step = lowestStep + at
    const mhz = frequencyMhz + step * stepMhz
    const level = mhz / frequencyMhz
    return {
      step,
      mhz,
      name: step === 0 ? 'default' : `${mhz}MHz`,
      ths: Math.round(nominalThs * level * 10) / 10,
      watts: Math.round(nominalThs * efficiencyJTh * powerOf(level)),
    }
  })
}

/** What a miner with LuxOS remembers. */
export class LuxosState {
  readonly machine: Machine<LuxosRow>
  readonly row: LuxosRow
  readonly profiles: readonly Profile[]
  profile: Profile
  atm = true
  redLed = 'auto'
  fanSpeed: number | undefined
  minFans = 3
  temps = { target: 55, hot: 80, dangerous: 90 }
  /** Of other writers than us, to see that theirs is not taken. */
  #session: { readonly id: string; usedAt: number } | undefined
  #sessions = 0

  constructor(row: LuxosRow, options: MachineOptions) {
    this.row = row
    this.machine = new Machine(row, { vendorMac: '62:F7:5E', hostname: 'Antminer' }, options)
    this.profiles = profilesOf(row)
    this.profile = this.profiles.find(({ step }) => step === 0)!
  }

  get when(): number {
    return Math.floor(this.machine.clock.now() / 1000)
  }

  get session(): string | undefined {
    const now = this.machine.clock.now()
    if (this.#session && now - this.#session.usedAt > idleMs) this.#session = undefined
    return this.#session?.id
  }

  /** Undefined while another one is active. */
  logon(): string | undefined {
    if (this.session !== undefined) return undefined
    const id = `sim${this.machine.seed.toString(36)}n${++this.#sessions}`
    this.#session = { id, usedAt: this.machine.clock.now() }
    return id
  }

  /** Whether it is the one that is active; that counts as use. */
  use(id: string): boolean {
    if (this.session !== id || !this.#session) return false
    this.#session.usedAt = this.machine.clock.now()
    return true
  }

  logoff() {
    this.#session = undefined
  }

  setProfile(wanted: string): boolean {
    const profile = this.profiles.find(({ name, step }) => name === wanted || String(step) === wanted)
    if (!profile) return false
    this.profile = profile
    this.machine.change({ frequencyPct: (profile.mhz / this.row.frequencyMhz - 1) * 100 })
    return true
  }

  sleep(asleep: boolean) {
    this.machine.change({ awake: !asleep }, asleep ? 'slide' : 'restart')
  }

  /** The controller starts anew, and no session outlives it. */
  reboot() {
    this.logoff()
    this.machine.reboot()
  }

  reset() {
    this.fanSpeed = undefined
    this.redLed = 'auto'
    this.atm = true
    this.setProfile('0')
    this.reboot()
  }
}
