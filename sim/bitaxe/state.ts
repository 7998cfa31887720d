import { type Fields, round } from '../json.js'
import { Machine, type MachineOptions } from '../machine.js'
import type { BitaxeRow } from './rows.js'

const settingKeys: Readonly<Record<string, 'text' | 'number'>> = {
  stratumURL: 'text',
  stratumPort: 'number',
  stratumUser: 'text',
  stratumPassword: 'text',
  stratumTLS: 'number',
  fallbackStratumURL: 'text',
  fallbackStratumPort: 'number',
  fallbackStratumUser: 'text',
  fallbackStratumPassword: 'text',
  fallbackStratumTLS: 'number',
  hostname: 'text',
  frequency: 'number',
  autofanspeed: 'number',
  fanspeed: 'number',
}

/** What a small miner remembers. Pools and frequency count from the next start. */
export class BitaxeState {
  readonly machine: Machine<BitaxeRow>
  readonly row: BitaxeRow
  frequencyMhz: number
  fanPct: number | undefined
  #next: Fields = {}

  constructor(row: BitaxeRow, options: MachineOptions) {
    this.row = row
    this.machine = new Machine(row, { vendorMac: 'DC:54:75', hostname: row.nerd ? 'nerdqaxe' : 'bitaxe' }, options)
    this.frequencyMhz = row.frequencyMhz
    const [first, second] = this.machine.pools.entries
    this.machine.pools.set([first!, second!])
    this.machine.pools.reset(0)
  }

  get isOn(): boolean {
    return this.machine.physics.drive.awake
  }

  /** Takes all or nothing: one name or value that it does not know, and false. */
  patch(body: Fields): boolean {
    const isKnown = ([key, value]: [string, unknown]) =>
      Object.hasOwn(settingKeys, key) && typeof value === (settingKeys[key] === 'text' ? 'string' : 'number')
    if (!Object.entries(body).every(isKnown)) return false
    const { frequency, fanspeed, autofanspeed, hostname } = body as Record<string, never>
    if (frequency !== undefined && !this.row.optionsMhz.includes(frequency)) return false
    if (fanspeed !== undefined && !(fanspeed >= 0 && fanspeed <= 100)) return false
    if (hostname !== undefined) this.machine.hostname = hostname
    if (autofanspeed === 1) this.fanPct = undefined
    if (fanspeed !== undefined && autofanspeed !== 1) this.fanPct = fanspeed
    this.#next = { ...this.#next, ...body }
    return true
  }

  restart() {
    const next = this.#next as Record<string, string & number>
    this.#next = {}
    const pools = this.machine.pools.entries.map((pool, at) => {
      const name = at === 0 ? 'stratum' : 'fallbackStratum'
      const [, host = '', port = ''] = /:\/\/(.*):(\d+)$/.exec(pool.url) ?? []
      return {
        url: `stratum+tcp://${next[`${name}URL`] ?? host}:${next[`${name}Port`] ?? port}`,
        user: next[`${name}User`] ?? pool.user,
        pass: next[`${name}Password`] ?? pool.pass,
      }
    })
    this.machine.setPools(pools, 'slide')
    this.frequencyMhz = next.frequency ?? this.frequencyMhz
    const frequencyPct = round((this.frequencyMhz / this.row.frequencyMhz - 1) * 100, 2)
    this.machine.change({ awake: true, frequencyPct })
    this.machine.reboot()
  }
}
