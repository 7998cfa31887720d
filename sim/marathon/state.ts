import type { Hardware } from '../hardware.js'
import { asFields, type Fields } from '../json.js'
import { Machine, type MachineOptions } from '../machine.js'

/** An Antminer with MaraFW (protocols/other-firmwares.md). */
export interface MarathonRow extends Hardware {
  readonly firmware: string
}

export const marathonRows: readonly MarathonRow[] = [
  // biome-ignore format: one row a model
  { model: 'S19 Pro+', firmware: '2.2.0',
    cooling: 'air', boards: 3, chips: 120, fans: 4, nominalThs: 120, efficiencyJTh: 27.5, frequencyMhz: 545 },
]

const selectors: readonly unknown[] = ['Stock', 'Auto', 'Fixed', 'Sleep']
const targets: readonly unknown[] = ['PowerTarget', 'Hashrate']

/** What a miner with MaraFW remembers. */
export class MarathonState {
  readonly machine: Machine<MarathonRow>
  readonly row: MarathonRow
  blinking = false
  readonly history: Fields[] = []
  #mode: Fields

  constructor(row: MarathonRow, options: MachineOptions) {
    this.row = row
    this.machine = new Machine(row, { vendorMac: '02:4D:52', hostname: 'miner' }, options)
    const watts = this.machine.physics.nominalW
    const concorde = { 'mode-select': 'PowerTarget', 'power-target': watts, 'hash-target': row.nominalThs }
    this.#mode = { 'work-mode-selector': 'Stock', concorde }
    this.history.push({ mode: this.#mode })
  }

  /** Asleep is what its mining process does, whoever told it. */
  get mode(): Fields {
    return this.machine.physics.drive.awake ? this.#mode : { ...this.#mode, 'work-mode-selector': 'Sleep' }
  }

  get config(): Fields {
    const pools = [0, 1, 2].map((at) => this.machine.pools.entries[at] ?? { url: '', user: '', pass: '' })
    return {
      mode: this.mode,
      pools: pools.map(({ url, user, pass }) => ({ url, user, pass })),
      'advance-config': { 'event-driven-donation': false },
    }
  }

  /** Takes the whole configuration; the words of a refusal, or nothing. */
  take(config: Fields): string | undefined {
    const mode = asFields(config.mode)
    const { pools } = config
    if (!mode || !Array.isArray(pools) || !config['advance-config']) return 'the configuration is not whole'
    const { 'work-mode-selector': selector } = mode
    const concorde = asFields(mode.concorde) ?? {}
    const { 'mode-select': target, 'power-target': watts, 'hash-target': ths } = concorde
    if (!selectors.includes(selector) || !targets.includes(target)) return 'unknown mode'
    if (!(Number(watts) > 0 && Number(watts) <= this.machine.physics.nominalW * 1.3)) return 'power target out of range'
    const list = pools.map(asFields).filter((pool) => pool?.url)
    const entries = list.map((pool) => ({ url: String(pool?.url), user: String(pool?.user), pass: String(pool?.pass) }))
    if (JSON.stringify(entries) !== JSON.stringify(this.machine.pools.entries)) this.machine.setPools(entries, 'slide')
    const wasAwake = this.machine.physics.drive.awake
    const isAwake = selector !== 'Sleep'
    this.#mode = mode
    this.history.push({ mode })
    const byPower = selector === 'Auto' && target === 'PowerTarget'
    const byRate = selector === 'Auto' && target === 'Hashrate'
    const drive = {
      awake: isAwake,
      limitW: byPower ? Number(watts) : null,
      frequencyPct: byRate ? Math.min(0, (Number(ths) / this.row.nominalThs - 1) * 100) : 0,
    }
    this.machine.change(drive, isAwake && !wasAwake ? 'restart' : 'slide')
    return undefined
  }
}
