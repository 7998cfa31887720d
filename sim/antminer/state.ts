import { createHash } from 'node:crypto'
import type { Drive } from '../drive.js'
import type { AntminerRow } from '../hardware.js'
import { asFields, type Fields } from '../json.js'
import { Machine, type MachineOptions } from '../machine.js'
import type { Reading } from '../physics.js'
import type { PoolEntry } from '../pools.js'

export interface AntminerOptions extends MachineOptions {
  readonly username?: string
  readonly password?: string
}

/** After a change of the configuration the mining process is gone for so long, s of the miner's time. */
const daemonRestartS = 4
const poolPlaces = 3
const emptyPool: PoolEntry = { url: '', user: '', pass: '' }

/** What `bitmain-work-mode` means. */
const modes: Readonly<Record<number, Partial<Drive>>> = {
  0: { awake: true, mode: 'normal' },
  1: { awake: false },
  2: { awake: true, mode: 'high' },
  3: { awake: true, mode: 'low' },
}

/** What the browser sends, and builds before July 2023 insist on. */
const wholePayload = [
  'bitmain-fan-ctrl',
  'bitmain-fan-pwm',
  'bitmain-hashrate-percent',
  'miner-mode',
  'freq-level',
  'pools',
]

/** What an Antminer with stock firmware remembers, whichever port asks. */
export class AntminerState {
  readonly machine: Machine<AntminerRow>
  readonly row: AntminerRow
  readonly username: string
  password: string
  firmware: string
  blink = false
  workMode = 0
  fanCtrl = false
  fanPwm = '100'
  hashratePercent = '100'
  freqLevel = '100'
  /** What takes effect at the next start of the network. */
  networkConf: { dhcp: boolean; hostname: string; ip: string; netmask: string; gateway: string; dns: string }
  readonly #factoryPassword: string
  #daemonBackAt = Number.NEGATIVE_INFINITY

  constructor(row: AntminerRow, options: AntminerOptions) {
    this.row = row
    this.machine = new Machine(row, { vendorMac: '06:41:4D', hostname: 'Antminer' }, options)
    this.username = options.username ?? 'root'
    this.password = options.password ?? 'root'
    this.#factoryPassword = this.password
    this.firmware = row.firmware
    const { network, hostname } = this.machine
    const { ip, netmask, gateway } = network
    this.networkConf = { dhcp: true, hostname, ip, netmask, gateway, dns: network.dns.join(',') }
  }

  get when(): number {
    return Math.floor(this.machine.clock.now() / 1000)
  }

  get isOn(): boolean {
    return this.machine.physics.drive.awake
  }

  /** The mining process restarts: its RPC takes nobody. */
  get isDaemonAway(): boolean {
    return this.machine.physics.seconds() < this.#daemonBackAt
  }

  get type(): string {
    return `Antminer ${this.row.model}`
  }

  read(): Reading {
    return this.machine.physics.read()
  }

  /** The pools as configured: always three, empty ones too. */
  get pools(): PoolEntry[] {
    const { entries } = this.machine.pools
    return Array.from({ length: poolPlaces }, (_, place) => entries[place] ?? emptyPool)
  }

  /** Takes a configuration and restarts the mining process, or says what is wrong with it. */
  configure(body: Fields): string | undefined {
    if (this.row.config === 'full' && wholePayload.some((key) => body[key] === undefined)) return 'Incomplete config!'
    const pools = body.pools === undefined ? this.pools : poolsOf(body.pools)
    if (!pools) return 'Invalid pool!'
    const mode = Number(body['miner-mode'] ?? body['bitmain-work-mode'] ?? this.workMode)
    const drive = modes[mode]
    if (!drive) return 'Invalid mode!'
    const level = percentOf(body['freq-level'] ?? this.freqLevel)
    const hashrate = percentOf(body['bitmain-hashrate-percent'] ?? this.hashratePercent)
    const pwm = percentOf(body['bitmain-fan-pwm'] ?? this.fanPwm)
    if (level === undefined || hashrate === undefined || pwm === undefined) return 'Invalid value!'
    this.workMode = mode
    this.freqLevel = String(level)
    this.hashratePercent = String(hashrate)
    this.fanPwm = String(pwm)
    this.fanCtrl = isTrue(body['bitmain-fan-ctrl'] ?? this.fanCtrl)
    this.machine.setPools(pools, 'slide')
    this.machine.change({ ...drive, frequencyPct: (level * hashrate) / 100 - 100 }, 'restart')
    this.#daemonBackAt = this.machine.physics.seconds() + daemonRestartS
    return undefined
  }

  /** False if an address that should be fixed is not whole. */
  setNetwork(body: Fields): boolean {
    const text = (key: string) => (typeof body[key] === 'string' ? body[key] : '')
    const isStatic = Number(body.ipPro) === 2
    const isWhole = ['ipAddress', 'ipSub', 'ipGateway'].every((key) => /^\d+\.\d+\.\d+\.\d+$/.test(text(key)))
    if (![1, 2].includes(Number(body.ipPro)) || !text('ipHost') || (isStatic && !isWhole)) return false
    const { network } = this.machine
    this.machine.hostname = text('ipHost')
    this.machine.network = { ...network, dhcp: !isStatic }
    if (isStatic) {
      const fixed = { ip: text('ipAddress'), netmask: text('ipSub'), gateway: text('ipGateway') }
      this.machine.network = { dhcp: false, ...fixed, dns: text('ipDns').split(',') }
    }
    const { ip, netmask, gateway, dns } = this.machine.network
    this.networkConf = { dhcp: !isStatic, hostname: this.machine.hostname, ip, netmask, gateway, dns: dns.join(',') }
    return true
  }

  /** Takes an image and names the firmware after it. */
  update(image: Buffer) {
    this.firmware = `FR-SIM(${createHash('sha256').update(image).digest('hex').slice(0, 8)})`
    this.machine.reboot()
  }

  factoryReset() {
    this.password = this.#factoryPassword
    this.blink = false
    this.fanCtrl = false
    this.fanPwm = this.hashratePercent = this.freqLevel = '100'
    this.workMode = 0
    this.machine.setPools([], 'slide')
    this.machine.change({ awake: true, mode: 'normal', frequencyPct: 0 })
    this.machine.reboot()
  }
}

/** Three pools, the first one set; undefined if they are not. */
function poolsOf(value: unknown): PoolEntry[] | undefined {
  if (!Array.isArray(value) || value.length !== poolPlaces) return undefined
  const pools = value.map((each): PoolEntry | undefined => {
    const { url, user, pass } = asFields(each) ?? {}
    return typeof url === 'string' && typeof user === 'string' && typeof pass === 'string'
      ? { url, user, pass }
      : undefined
  })
  if (!pools.every((pool) => pool !== undefined)) return undefined
  return pools[0]!.url === '' || pools.some(({ url }) => url !== '' && !url.includes('://')) ? undefined : pools
}

/** '' and 0 mean what 100 means: nothing was set. */
function percentOf(value: unknown): number | undefined {
  const number = value === '' ? 100 : Number(value)
  if (!Number.isFinite(number) || number < 0 || number > 100) return undefined
  return number === 0 ? 100 : number
}

export function isTrue(value: unknown): boolean {
  return value === true || value === 'true' || value === '1' || value === 1
}
