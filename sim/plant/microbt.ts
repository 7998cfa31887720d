import { createHash, randomBytes } from 'node:crypto'
import { type Clock, systemClock } from '#model'
import { CoolingLoop, Energy } from './loop.js'
import { ModbusGateway, type ModbusUnit } from './modbus.js'

export interface MicrobtOptions {
  readonly variant: 'wonderint' | 'kehua'
  readonly username?: string
  readonly password?: string
  readonly host?: string
  readonly port?: number
  readonly clock?: Clock
  /** PDUs that are there, 1 to 12; default all. */
  readonly pdus?: number
  /** W that what hangs on all sockets together draws; default 3300 a socket. */
  readonly loadW?: () => number
}

const meters = 4
const sockets = 20
const usualSocketW = 3300
const md5 = (text: string) => createHash('md5').update(text).digest()

/** A MicroBT container: cooling, climate, meters and PDUs as units behind one gateway; what is switched changes what they measure. */
export class MicrobtContainer {
  readonly gateway: ModbusGateway
  readonly loop: CoolingLoop
  readonly sockets: boolean[][]
  limits = { fanSpeedPct: 60, fanStartC: 35, fanStopC: 30 }
  on = true
  signedIn = false
  readonly #isKehua: boolean
  readonly #account: { username: string; password: string }
  readonly #energy: Energy
  readonly #socketW: () => number
  #random = randomBytes(8)
  /** The maker's numbers of the registers; on the wire they are one less. */
  constructor(options: MicrobtOptions) {
    const { variant, username = 'admin', password = 'admin', clock = systemClock, pdus = 12, loadW } = options
    const all = pdus * sockets
    this.#socketW = loadW ? () => loadW() / all : () => usualSocketW
    this.#isKehua = variant === 'kehua'
    this.#account = { username, password }
    this.sockets = Array.from({ length: pdus }, () => new Array<boolean>(sockets).fill(true))
    this.loop = new CoolingLoop(clock, { cooling: true, heatW: 0, setpointC: 32, outdoorC: 18 })
    this.#energy = new Energy(clock, 250, () => this.powerW)
    const units = new Map<number, ModbusUnit>([
      [
        1,
        this.#unit(
          (number) => this.#cdu(number),
          (number, values) => this.#writeCdu(number, values),
        ),
      ],
      [2, this.#unit((number) => this.#climate(number))],
      [3, this.#unit((number) => this.#environment(number))],
    ])
    for (let meter = 0; meter < meters; meter++)
      units.set(
        4 + meter,
        this.#unit((number) => this.#meter(number)),
      )
    for (let pdu = 0; pdu < pdus; pdu++)
      units.set(
        9 + pdu,
        this.#unit(
          (number) => this.#pdu(pdu, number),
          (number, values) => this.#writePdu(pdu, number, values),
        ),
      )
    this.gateway = new ModbusGateway(units, options)
    this.#load()
  }

  get powerW(): number {
    return this.sockets.flat().filter(Boolean).length * this.#socketW()
  }

  #load(): void {
    this.loop.change({ heatW: this.powerW, cooling: this.on && !this.gateway.faults.has('pumpFailed') })
  }

  #unit(read: (number: number) => number, write?: (number: number, values: readonly number[]) => boolean): ModbusUnit {
    return {
      read: (fn, address, count) =>
        fn === 3 && address + count <= 700
          ? Array.from({ length: count }, (_, index) => read(address + 1 + index))
          : undefined,
      ...(write ? { write: (address: number, values: readonly number[]) => write(address + 1, values) } : {}),
    }
  }

  #cdu(number: number): number {
    this.#load()
    const { loop, limits } = this
    const failed = this.gateway.faults.has('pumpFailed')
    const runs = this.on && !failed
    if (number >= 301 && number <= 304) return this.#random.readUInt16BE((number - 301) * 2)
    if (number >= 291 && number <= 300) return number === 291 && failed ? 0x8000 >> 3 : 0
    const temps: Record<number, number> = this.#isKehua
      ? { 202: loop.returnC * 100, 208: failed ? 200 : runs ? 100 : 0 }
      : { 202: loop.supplyC * 100, 211: loop.returnC * 100 }
    const values: Record<number, number> = {
      1: 12,
      95: 1150,
      98: 0,
      100: this.gateway.faults.has('leak') ? 1 : 0,
      201: loop.supplyC * 100,
      203: 210,
      204: 160,
      209: runs ? 8000 : 0,
      601: this.on ? 1 : 0,
      602: 1,
      606: runs ? 1 : 0,
      607: runs ? 1 : 0,
      613: limits.fanSpeedPct * 100,
      614: limits.fanStartC * 100,
      615: limits.fanStopC * 100,
      ...temps,
    }
    return Math.round(values[number] ?? 0)
  }

  #writeCdu(number: number, values: readonly number[]): boolean {
    if (number === 305) {
      const { username, password } = this.#account
      const hash = createHash('sha256')
        .update(Buffer.concat([this.#random, md5(username), md5(password)]))
        .digest()
      this.signedIn = values.length === 16 && values.every((word, index) => word === hash.readUInt16BE(index * 2))
      this.#random = randomBytes(8)
      return this.signedIn
    }
    if (!this.signedIn) return false
    const value = values[0]!
    if (number === 601) this.on = value === 1
    else if (number === 613) this.limits.fanSpeedPct = value / 100
    else if (number === 614) this.limits.fanStartC = value / 100
    else if (number === 615) this.limits.fanStopC = value / 100
    else return false
    this.#load()
    return true
  }

  #climate(number: number): number {
    const parts = this.#isKehua ? 100 : 10
    return number === 3 ? 26.5 * parts : number === 4 ? 41 * parts : 0
  }

  #environment(number: number): number {
    return number === 8 && this.gateway.faults.has('leak') ? 1 : 0
  }

  /** A quarter of the load each; powers in 10 W, so that 16 bits hold them. */
  #meter(number: number): number {
    const powerKw = this.powerW / 1000 / meters
    const values: Record<number, number> = {
      3: (this.#energy.kwh / meters) * 100,
      50: 400_00,
      51: 401_00,
      52: 399_00,
      53: (powerKw / 0.692) * 100,
      54: (powerKw / 0.692) * 100,
      55: (powerKw / 0.692) * 100,
      57: powerKw * 100,
      65: (powerKw / 0.99) * 100,
      69: 99,
      82: 50_00,
    }
    return Math.round(values[number] ?? 0) & 0xffff
  }

  #pdu(pdu: number, number: number): number {
    const mine = this.sockets[pdu]!
    if (number >= 46 && number <= 65) return mine[number - 46] ? 1 : 2
    if (number === 81) return Math.round((mine.filter(Boolean).length * this.#socketW()) / 10)
    return 0
  }

  #writePdu(pdu: number, number: number, values: readonly number[]): boolean {
    const socket = 309 - number
    if (socket < 1 || socket > sockets || (values[0] !== 1 && values[0] !== 2)) return false
    this.sockets[pdu]![socket - 1] = values[0] === 1
    this.#load()
    return true
  }
}
