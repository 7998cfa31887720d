/**
 * What a worker reads of a Whatsminer with three boards, at the resolution of API v3 (protocols/whatsminer.md §2.3), from the physics of
 * the simulators: every number that the device module makes of the replies, without sockets in between.
 */
import type { DeviceRecord } from '#model'
import { Physics, whatsminers } from '#sim'

export const start = 1_800_000_000_000
export const intervalMs = 10_000

const hardware = whatsminers.find(
  ({ apiV3, boards, cooling }) => apiV3 !== undefined && boards === 3 && cooling === 'air',
)!

export const idOf = (index: number) => `home.wm.10.0.${index >> 8}.${index & 255}`

export class Miner {
  readonly #index: number
  readonly #physics: Physics
  #now = start
  #random: number

  constructor(index: number) {
    this.#index = index
    this.#random = index + 1
    const clock = { now: () => this.#now, hr: () => this.#now, after: () => () => {} }
    this.#physics = new Physics(hardware, { clock, seed: 7919 * (index + 1) })
  }

  /** 0 <= x < 1, the same in every run. */
  #chance(): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0
    return this.#random / 2 ** 32
  }

  /** As it is read in the visit that is due at `due`, ms. */
  read(due: number): DeviceRecord {
    const askedAt = due + Math.floor(this.#chance() * 4)
    const latencyMs = 9 + Math.floor(4 * (this.#chance() + this.#chance() + this.#chance()))
    const at = askedAt + latencyMs
    this.#now = at
    const now = this.#physics.read()
    const index = this.#index
    const powerW = Math.round(now.powerW)
    const boards = now.boards.map((board) => ({
      slot: board.slot,
      serial: `SIM0000000000${index}-${board.slot}`,
      hashrateThs: fixed(board.rateThs, 3),
      expectedHashrateThs: fixed(hardware.nominalThs / 3, 3),
      chips: board.chips,
      frequencyMhz: Math.round(now.frequencyMhz),
      boardTempC: fixed(board.boardC, 1),
      chipTempMinC: fixed(board.chipMinC, 1),
      chipTempMaxC: fixed(board.chipMaxC, 1),
      chipTempAvgC: fixed(board.chipAvgC, 1),
      tuned: true,
    }))
    // The firmware's total is that of its boards.
    const hashrateThs = fixed(
      boards.reduce((sum, board) => sum + board.hashrateThs, 0),
      3,
    )
    const fans = now.fansRpm.map((rpm, fan) => ({
      index: fan,
      location: fan === 0 ? ('in' as const) : ('out' as const),
      rpm,
    }))
    const accepted = Math.floor(now.elapsedS / 11)
    return {
      id: idOf(index),
      kind: 'miner',
      make: 'MicroBT',
      model: hardware.model,
      variant: 'VH30',
      firmware: { family: 'stock', version: '20230911.12.Rel', api: '3.0.1' },
      site: 'home',
      worker: 'wm',
      address: `10.0.${index >> 8}.${index & 255}:4433`,
      mac: `C4:11:04:00:${(index >> 8).toString(16)}:${(index & 255).toString(16)}`,
      tags: ['row-a'],
      location: { container: 'c1', rack: index >> 4, slot: index & 15 },
      simulated: true,
      status: 'mining',
      health: 'ok',
      at,
      askedAt,
      latencyMs,
      metrics: {
        hashrateThs,
        hashrate1mThs: fixed(now.rate1mThs, 3),
        hashrate15mThs: fixed(now.rate15mThs, 3),
        hashrateAvgThs: fixed(now.avgThs, 3),
        expectedHashrateThs: hardware.nominalThs,
        nominalHashrateThs: hardware.nominalThs,
        powerW,
        powerLimitW: this.#physics.nominalW + 100,
        efficiencyJTh: fixed(powerW / hashrateThs, 3),
        psuInputVoltageV: fixed(now.inputV, 1),
        psuInputCurrentA: fixed(now.powerW / now.inputV, 1),
        psuInputPowerW: powerW,
        psuOutputVoltageV: 12.5,
        psuTempC: fixed(now.psuC, 1),
        psuFanRpm: now.psuFanRpm,
        ambientTempC: fixed(now.ambientC, 1),
        boardTempMaxC: Math.max(...boards.map(({ boardTempC }) => boardTempC)),
        chipTempMaxC: Math.max(...boards.map(({ chipTempMaxC }) => chipTempMaxC)),
        chipTempAvgC: fixed(boards.reduce((sum, { chipTempAvgC }) => sum + chipTempAvgC, 0) / boards.length, 1),
        chipTempMinC: Math.min(...boards.map(({ chipTempMinC }) => chipTempMinC)),
        fanMaxRpm: Math.max(...now.fansRpm),
        frequencyMhz: Math.round(now.frequencyMhz),
        uptimeS: Math.floor(now.uptimeS),
        miningUptimeS: Math.floor(now.elapsedS),
        acceptedShares: accepted,
        rejectedShares: Math.floor(accepted / 900),
        poolRejectPct: fixed((100 * Math.floor(accepted / 900)) / Math.max(1, accepted), 3),
      },
      boards,
      fans,
      pools: [
        {
          index: 0,
          url: 'stratum+tcp://pool-a.example:3333',
          user: `simulated.${index}`,
          active: true,
          alive: true,
          priority: 0,
          accepted,
          rejected: Math.floor(accepted / 900),
          difficulty: 262_144,
        },
        {
          index: 1,
          url: 'stratum+tcp://pool-b.example:3333',
          user: `simulated.${index}`,
          active: false,
          alive: true,
          priority: 1,
        },
        {
          index: 2,
          url: 'stratum+tcp://pool-c.example:3333',
          user: `simulated.${index}`,
          active: false,
          alive: true,
          priority: 2,
        },
      ],
      errors: [],
      missing: {},
      capabilities: ['reboot', 'setPools', 'setPowerMode', 'setPowerLimit', 'setLed'],
    }
  }
}

function fixed(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
