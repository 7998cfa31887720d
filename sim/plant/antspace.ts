import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Clock, systemClock } from '#model'
import { PlantFaults } from './faults.js'
import { Listener } from './listener.js'
import { CoolingLoop } from './loop.js'

export interface AntspaceOptions {
  readonly family: 'hydro' | 'immersion'
  readonly host?: string
  readonly port?: number
  readonly clock?: Clock
}

const miners = 210
const perMinerThs = 255
const perMinerW = 5300

/** The cooler of an ANTSPACE behind HTTP; what its operations change is what it then reports. */
export class AntspaceContainer {
  readonly faults = new PlantFaults()
  readonly listener: Listener
  readonly loop: CoolingLoop
  readonly #family: AntspaceOptions['family']
  readonly #clock: Clock
  on = true
  pid = false
  setpointC = 30
  /** Alarms stay until they are reset, also when their cause is gone. */
  readonly alarms = new Set<string>()

  constructor({ family, host = '127.0.0.1', port = 0, clock = systemClock }: AntspaceOptions) {
    this.#family = family
    this.#clock = clock
    this.loop = new CoolingLoop(clock, { cooling: true, heatW: miners * perMinerW, setpointC: 30, outdoorC: 18 })
    const http = createServer((request, response) => this.#serve(request, response))
    this.listener = new Listener(host, port, this.faults, (socket) => void http.emit('connection', socket))
  }

  async listen(): Promise<this> {
    await this.listener.listen()
    return this
  }

  close(): Promise<void> {
    return this.listener.close()
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://cooler')
    const answer = this.#answer(url.searchParams.get('operation') ?? '', url.searchParams.get('temp'))
    const text = JSON.stringify(answer.body)
    const send = () => {
      response.setHeader('content-type', 'application/json')
      response.statusCode = answer.status
      if (this.faults.has('garbage')) return void response.end('<html>busy</html>')
      if (!this.faults.has('half')) return void response.end(text)
      response.setHeader('content-length', text.length)
      response.write(text.slice(0, text.length >> 1), () => request.socket.destroy())
    }
    const slow = this.faults.get('slow')
    if (slow) this.#clock.after(slow.ms, send)
    else send()
  }

  #answer(operation: string, temp: string | null): { status: number; body: unknown } {
    const ok = (params: unknown = null) => ({ status: 200, body: { ok: true, method: operation, params } })
    const refuse = (error: string) => ({ status: 400, body: { status: 'error', error } })
    if (operation === 'coolerState') return ok(this.#family === 'hydro' ? this.#hydro() : this.#immersion())
    if (operation === 'minerInfo') return ok(this.#minerInfo())
    if (!['open', 'close', 'reset', 'setTemp'].includes(operation)) return refuse('ERR_UNSUPPORTED')
    if (this.faults.has('refusedWrite')) return refuse('ERR_LOCKED')
    if (this.faults.has('ignoredWrite')) return ok()
    if (operation === 'reset') this.alarms.clear()
    else if (operation === 'setTemp') {
      this.pid = temp === 'pid'
      if (!this.pid) this.setpointC = Number(temp)
    } else this.on = operation === 'open'
    this.loop.change({ cooling: this.on, setpointC: this.setpointC })
    return ok()
  }

  /** Faults become alarms; they stay. */
  #latched(names: Readonly<Record<'leak' | 'pumpFailed', string>>): Record<string, boolean> {
    for (const kind of ['leak', 'pumpFailed'] as const) if (this.faults.has(kind)) this.alarms.add(names[kind])
    this.loop.change({ cooling: this.on && !this.faults.has('pumpFailed') })
    return Object.fromEntries(Object.values(names).map((name) => [name, this.alarms.has(name)]))
  }

  #hydro() {
    const alarms = this.#latched({ leak: 'leakage_fault', pumpFailed: 'circulating_pump_fault' })
    const runs = this.on && !this.faults.has('pumpFailed')
    return {
      circulating_pump: runs,
      fan1: runs,
      fan2: runs,
      spray_pump: runs,
      fluid_infusion_pump: false,
      cooling_tower_fan1: runs,
      cooling_tower_fan2: runs,
      cooling_tower_fan3: runs,
      running_mode: true,
      pid_mode: this.pid,
      disconnect: false,
      supply_liquid_temp: this.loop.supplyC,
      return_liquid_temp: this.loop.returnC,
      colding_tower_inlet_temp: this.loop.returnC - 2,
      antbox_internal_temp: 24.5,
      antbox_internal_humidity: 38,
      supply_liquid_pressure: runs ? 35 : 5,
      return_liquid_pressure: runs ? 28 : 5,
      supply_liquid_flow: runs ? 29 : 0,
      distribution_box1_power: (miners * perMinerW) / 2000,
      distribution_box2_power: (miners * perMinerW) / 2000,
      supply_liquid_set_temp: this.setpointC,
      power_fault: false,
      liquid_level_low: false,
      supply_liquid_temp_too_high: this.loop.supplyC > 60,
      ...alarms,
    }
  }

  #immersion() {
    const alarms = this.#latched({ leak: 'leakage_fault', pumpFailed: 'second_pump1_fault' })
    const runs = this.on && !this.faults.has('pumpFailed')
    return {
      protocol_version: 5,
      second_pump1: runs,
      second_pump2: false,
      primary_circulating_pump: true,
      dry_cooler_freq_run: runs,
      dry_cooler_power_freq_run: false,
      container_fan: true,
      primary_supply_temp: this.loop.supplyC,
      primary_return_temp: this.loop.returnC,
      second_supply_temp1: this.loop.supplyC - 3,
      second_return_temp1: this.loop.returnC - 3,
      out_temp: this.loop.input.outdoorC,
      container_temp: 27,
      container_humidity: 35,
      tank_a_level: 80,
      tank_b_level: 81,
      tank_c_level: 79,
      tank_d_level: 80,
      vol_a_distribution: 2233,
      vol_b_distribution: 2228,
      vol_c_distribution: 2240,
      cur_a_distribution: 1640,
      cur_b_distribution: 1650,
      cur_c_distribution: 1655,
      distribution_box_power: 11.1,
      power_distribution: 1110,
      supply_liquid_set_temp: this.setpointC,
      pid_mode: this.pid,
      running_mode: true,
      ...alarms,
    }
  }

  #minerInfo() {
    return {
      miner_num: miners,
      total_hashrate: miners * perMinerThs,
      pcb_max_temp: 61,
      chip_max_temp: 72,
      chip_temp_mean: 65,
      miner_info: {},
    }
  }
}
