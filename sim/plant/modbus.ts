import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { type Clock, systemClock } from '#model'
import { PlantFaults } from './faults.js'
import { Listener } from './listener.js'

/** One unit behind a gateway: its registers as they are now. */
export interface ModbusUnit {
  /** The values of these registers; undefined: there are no such registers. */
  read(fn: number, address: number, count: number): readonly number[] | undefined
  /** False: no such registers, or the value is refused. */
  write?(address: number, values: readonly number[]): boolean
}

const headerBytes = 7
const noFunction = 1
const noRegisters = 2
const failed = 4
const noAnswer = 11

/** A Modbus TCP gateway with its units, on a real socket. */
export class ModbusGateway {
  readonly faults = new PlantFaults()
  readonly units: ReadonlyMap<number, ModbusUnit>
  readonly listener: Listener
  readonly #clock: Clock
  /** What was asked, newest last: tests look at it. */
  readonly asked: { readonly unit: number; readonly fn: number; readonly address: number }[] = []

  constructor(units: ReadonlyMap<number, ModbusUnit>, options: { host?: string; port?: number; clock?: Clock } = {}) {
    this.units = units
    this.#clock = options.clock ?? systemClock
    this.listener = new Listener(options.host ?? '127.0.0.1', options.port ?? 0, this.faults, (socket) =>
      this.#serve(socket),
    )
  }

  async listen(): Promise<this> {
    await this.listener.listen()
    return this
  }

  close(): Promise<void> {
    return this.listener.close()
  }

  #serve(socket: Socket): void {
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= headerBytes && rest.length >= 6 + rest.readUInt16BE(4)) {
        const end = 6 + rest.readUInt16BE(4)
        this.#answer(socket, rest.subarray(0, end))
        rest = rest.subarray(end)
      }
    })
  }

  #answer(socket: Socket, frame: Buffer): void {
    const unit = frame[6]!
    const pdu = frame.subarray(headerBytes)
    this.asked.push({ unit, fn: pdu[0]!, address: pdu.readUInt16BE(1) })
    if (this.asked.length > 1000) this.asked.shift()
    if (this.faults.has('silent')) return
    const reply = this.#reply(unit, pdu)
    const head = Buffer.from(frame.subarray(0, headerBytes))
    head.writeUInt16BE(reply.length + 1, 4)
    const answer = Buffer.concat([head, reply])
    const slow = this.faults.get('slow')
    if (slow) this.#clock.after(slow.ms, () => this.#send(socket, answer))
    else this.#send(socket, answer)
  }

  #send(socket: Socket, answer: Buffer): void {
    if (socket.destroyed) return
    if (this.faults.has('garbage')) return void socket.write(randomBytes(64))
    if (this.faults.has('half')) return void socket.end(answer.subarray(0, answer.length >> 1))
    if (this.faults.has('stray')) {
      const stray = Buffer.from(answer)
      stray.writeUInt16BE((stray.readUInt16BE(0) + 0x7000) & 0xffff, 0)
      stray.fill(0xff, headerBytes + 2)
      socket.write(stray)
    }
    if (this.faults.has('split')) for (const byte of answer) socket.write(Buffer.of(byte))
    else socket.write(answer)
  }

  #reply(number: number, pdu: Buffer): Buffer {
    const fn = pdu[0]!
    const refuse = (exception: number) => Buffer.of(fn | 0x80, exception)
    const unit = this.units.get(number)
    if (!unit || this.faults.get('unitGone')?.unit === number) return refuse(noAnswer)
    const address = pdu.readUInt16BE(1)
    if (fn === 3 || fn === 4) {
      const count = pdu.readUInt16BE(3)
      const values = unit.read(fn, address, count)
      if (!values || values.length !== count) return refuse(noRegisters)
      const reply = Buffer.alloc(2 + count * 2)
      reply.writeUInt8(fn, 0)
      reply.writeUInt8(count * 2, 1)
      values.forEach((value, index) => {
        reply.writeUInt16BE(value & 0xffff, 2 + index * 2)
      })
      return reply
    }
    if (fn !== 6 && fn !== 16) return refuse(noFunction)
    if (this.faults.has('refusedWrite')) return refuse(failed)
    const values =
      fn === 6
        ? [pdu.readUInt16BE(3)]
        : Array.from({ length: pdu.readUInt16BE(3) }, (_, index) => pdu.readUInt16BE(6 + index * 2))
    if (!this.faults.has('ignoredWrite') && !unit.write?.(address, values)) return refuse(noRegisters)
    return Buffer.from(pdu.subarray(0, 5))
  }
}

/** A unit of fixed blocks of registers, as captures have them. */
export function unitOfBlocks(
  blocks: readonly { readonly wireAddress: number; readonly registers: readonly number[] }[],
  functionCode = 3,
): ModbusUnit {
  const memory = new Map<number, number>()
  for (const { wireAddress, registers } of blocks)
    registers.forEach((value, index) => {
      memory.set(wireAddress + index, value)
    })
  return unitOfMemory(memory, functionCode)
}

/** A unit whose registers are a map that its owner changes. */
export function unitOfMemory(memory: ReadonlyMap<number, number>, functionCode?: number): ModbusUnit {
  return {
    read(fn, address, count) {
      if (functionCode !== undefined && fn !== functionCode) return undefined
      const values = Array.from({ length: count }, (_, index) => memory.get(address + index))
      return values.includes(undefined) ? undefined : (values as number[])
    },
  }
}

/** The words of a number in registers, the high one first. */
export function wordsOf(type: 'u16' | 'i16' | 'u32' | 'i32' | 'u64' | 'f32', value: number): number[] {
  const bytes = Buffer.alloc(8)
  const whole = Math.round(value)
  if (type === 'u16' || type === 'i16') return [whole & 0xffff]
  if (type === 'f32') bytes.writeFloatBE(value)
  else if (type === 'u64') bytes.writeBigUInt64BE(BigInt(whole))
  else if (type === 'u32') bytes.writeUInt32BE(whole)
  else bytes.writeInt32BE(whole)
  const count = type === 'u64' ? 4 : 2
  return Array.from({ length: count }, (_, index) => bytes.readUInt16BE(index * 2))
}
