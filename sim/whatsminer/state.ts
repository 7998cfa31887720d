import { createHash } from 'node:crypto'
import { modeRate } from '../drive.js'
import type { WhatsminerRow } from '../hardware.js'
import type { Fields } from '../json.js'
import { Machine, type MachineOptions } from '../machine.js'
import type { Reading } from '../physics.js'
import type { PoolEntry } from '../pools.js'
import { letters, sequence } from '../random.js'

export interface WhatsminerOptions extends MachineOptions {
  /** Of the account `admin` on 4028 and of `super` and the users on 4433. `admin` is the factory's: then it refuses writes. */
  readonly password?: string
  /** The "Miner API Switch" of the vendor tool. */
  readonly apiSwitch?: boolean
}

export const factoryPassword = 'admin'
/** The password that simulated Whatsminers have unless told otherwise: a changed one, as writes need it. */
export const simulatedPassword = 'simulate'
export const accounts = ['super', 'user1', 'user2', 'user3'] as const
const saltLetters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const maxPasswordBytes = 8

export interface MinerError {
  readonly code: number
  readonly reason: string
  /** ms */
  readonly since: number
}

/** What a Whatsminer remembers, whichever API asks. Both APIs read it and write it through the same verbs. */
export class WhatsminerState {
  readonly machine: Machine<WhatsminerRow>
  readonly row: WhatsminerRow
  firmware: string
  /** v2: of the one account; v3: by account. */
  passwords: Record<string, string>
  apiSwitch: boolean
  salt: string
  led: string | readonly Fields[] = 'auto'
  off: { reason: string; at: number } | undefined
  fastBoot = false
  fastHash = false
  upfreqSpeed = 0
  targetFreq = 0
  tempOffset = 0
  poweroffCool = 0
  fanZeroSpeed = 0
  webPools = true
  heatMode = 'normal'
  coin = 'BTC/BCH/BSV'
  timezone = { timezone: 'UTC0', zonename: 'UTC' }
  logServer = { ip: '', port: '', proto: 'udp' }
  randomized = { start: 0, stop: 0 }
  ntp = ['0.pool.ntp.org', '1.pool.ntp.org']
  customData: Record<string, string> = { CustomerSn: '' }
  permissions: Record<string, string> = {}
  readonly #options: WhatsminerOptions

  constructor(row: WhatsminerRow, options: WhatsminerOptions) {
    this.row = row
    this.#options = options
    this.machine = new Machine(row, { vendorMac: '06:57:4D', hostname: 'WhatsMiner' }, options)
    this.firmware = row.firmware
    const password = options.password ?? simulatedPassword
    this.passwords = Object.fromEntries(['admin', ...accounts].map((account) => [account, password]))
    this.apiSwitch = options.apiSwitch ?? true
    this.salt = this.#newSalt()
  }

  get when(): number {
    return Math.floor(this.machine.clock.now() / 1000)
  }

  /** Writes are refused until the factory's password is changed and the switch is on. */
  get mayWrite(): boolean {
    return this.apiSwitch && this.passwords.admin !== factoryPassword && !this.machine.has('refusedWrite')
  }

  get isOn(): boolean {
    return this.machine.physics.drive.awake
  }

  get isLiquid(): boolean {
    return this.row.cooling !== 'air'
  }

  /** Highest and default power limit, W. */
  get maxPowerW(): number {
    return Math.ceil((this.machine.physics.nominalW * 1.05) / 100) * 100
  }

  get powerLimitW(): number {
    const { limitW, mode } = this.machine.physics.drive
    return limitW ?? Math.round(this.maxPowerW * modeRate[mode])
  }

  read(): Reading {
    return this.machine.physics.read()
  }

  powerOff(reason: string) {
    if (!this.isOn) return
    this.off = { reason, at: this.machine.clock.now() }
    this.machine.change({ awake: false }, 'restart')
  }

  powerOn() {
    if (this.isOn) return
    this.off = undefined
    this.machine.change({ awake: true }, 'restart')
  }

  setMode(mode: 'low' | 'normal' | 'high') {
    this.machine.change({ mode, powerPct: 100 }, 'restart')
  }

  /** 99999: back to the limit of the model. */
  setPowerLimit(watts: number): boolean {
    if (watts !== 99999 && watts > this.maxPowerW) return false
    this.machine.change({ limitW: watts === 99999 ? null : watts }, 'restart')
    return true
  }

  setPercent(percent: number) {
    this.machine.change({ powerPct: percent })
  }

  setTargetFreq(percent: number) {
    this.targetFreq = percent
    this.machine.change({ frequencyPct: percent }, 'restart')
  }

  setPools(pools: readonly PoolEntry[]) {
    this.machine.setPools(pools, 'restart')
  }

  /** False if it is not one that the firmware takes. */
  setPassword(account: string, password: string): boolean {
    if (!/^\w+$/.test(password) || Buffer.byteLength(password) > maxPasswordBytes) return false
    this.passwords[account] = password
    this.salt = this.#newSalt()
    return true
  }

  /** Takes any image and names the firmware after it. */
  update(image: Buffer) {
    const digest = createHash('sha256').update(image).digest('hex')
    const date = new Date(this.machine.clock.now()).toISOString().slice(0, 10).replaceAll('-', '')
    this.firmware = `${date}.${digest.slice(0, 4)}.REL`
    this.machine.reboot()
  }

  factoryReset() {
    this.passwords = Object.fromEntries(['admin', ...accounts].map((account) => [account, account]))
    this.apiSwitch = false
    this.led = 'auto'
    this.machine.hostname = 'WhatsMiner'
    this.machine.change({ mode: 'normal', limitW: null, powerPct: 100, frequencyPct: 0 })
    this.setPools([])
    this.machine.reboot()
  }

  /** What the firmware finds, as its error codes (protocols/whatsminer.md §3). */
  get errors(): MinerError[] {
    const errors = this.machine.troubles.flatMap(({ fault, since }): MinerError[] => {
      if (fault.kind === 'boardLost') return [{ code: 530 + fault.slot, reason: `Slot${fault.slot} not found.`, since }]
      if (fault.kind === 'fanStopped')
        return [{ code: 110 + (fault.index % 2), reason: `Fan${fault.index} speed error.`, since }]
      if (fault.kind === 'overheated') return [{ code: 350, reason: 'Slot0 temperature is too high.', since }]
      if (fault.kind === 'poolDead')
        return [{ code: 2021 + fault.index, reason: `Pool${fault.index + 1} connect failed.`, since }]
      return []
    })
    if (!this.machine.pools.hasWork)
      errors.push({ code: 2010, reason: 'All pools are disabled.', since: this.machine.clock.now() })
    return errors
  }

  localTime(at: number): string {
    return new Date(at).toISOString().slice(0, 19).replace('T', ' ')
  }

  logs(): Buffer {
    const lines = Array.from({ length: 200 }, (_, line) => {
      return `${this.localTime(this.machine.clock.now() - (200 - line) * 1000)} btminer: simulated log line ${line}`
    })
    return Buffer.from(`${lines.join('\n')}\n`)
  }

  /** Replaces what only the constructor knows; the seed makes it the same again for the same history. */
  #newSalt(): string {
    const place = this.#options.seed + this.#salts++ * 7919
    return letters(sequence(place), 8, saltLetters)
  }
  #salts = 0
}
