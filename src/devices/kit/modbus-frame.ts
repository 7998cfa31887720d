import { type ErrorCode, SdkError } from '#model'

/**
 * Modbus TCP (protocols/powermeters.md §0). Clients on the market either take the unit from shared state, so that units interleave, or give
 * up on the first stray transaction: so these few lines are our own.
 */
export type ReadFunction = 3 | 4

/** Registers that one request may ask for, and that one may write. */
export const maxRead = 125
export const maxWrite = 123
/** A longer frame is none: the unit, the function and 252 bytes. */
const maxLength = 254
const headerBytes = 7

export interface Frame {
  readonly transaction: number
  readonly unit: number
  /** Function code and data. */
  readonly pdu: Buffer
}

export function encodeFrame({ transaction, unit, pdu }: Frame): Buffer {
  const frame = Buffer.alloc(headerBytes + pdu.length)
  frame.writeUInt16BE(transaction, 0)
  frame.writeUInt16BE(pdu.length + 1, 4)
  frame.writeUInt8(unit, 6)
  pdu.copy(frame, headerBytes)
  return frame
}

export function readPdu(fn: ReadFunction, address: number, count: number): Buffer {
  if (!Number.isInteger(count) || count < 1 || count > maxRead || address + count > 0x10000)
    throw new SdkError('BAD_REQUEST', `cannot read ${count} registers from ${address}`)
  return words(fn, address, count)
}

/** One register with function 6. */
export function writePdu(address: number, value: number): Buffer {
  return words(6, address, value)
}

/** Any number of registers with function 16. */
export function writeManyPdu(address: number, values: readonly number[]): Buffer {
  if (values.length < 1 || values.length > maxWrite)
    throw new SdkError('BAD_REQUEST', `cannot write ${values.length} registers at once`)
  const head = Buffer.alloc(6)
  head.writeUInt8(16, 0)
  head.writeUInt16BE(address, 1)
  head.writeUInt16BE(values.length, 3)
  head.writeUInt8(values.length * 2, 5)
  return Buffer.concat([head, wordsOf(values)])
}

export function wordsOf(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2)
  values.forEach((value, index) => {
    bytes.writeUInt16BE(value & 0xffff, index * 2)
  })
  return bytes
}

function words(fn: number, first: number, second: number): Buffer {
  const pdu = Buffer.alloc(5)
  pdu.writeUInt8(fn, 0)
  pdu.writeUInt16BE(first, 1)
  pdu.writeUInt16BE(second & 0xffff, 3)
  return pdu
}

/**
 * Takes the stream as it comes, in any pieces, and answers the frames that are complete. Throws DEVICE_BAD_REPLY on what is no Modbus:
 * where the next frame begins is then not to be known.
 */
export function frameReader(): (chunk: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const frames: Frame[] = []
    while (rest.length >= headerBytes) {
      const length = rest.readUInt16BE(4)
      if (rest.readUInt16BE(2) !== 0 || length < 2 || length > maxLength)
        throw new SdkError('DEVICE_BAD_REPLY', 'the reply is not Modbus')
      const end = 6 + length
      if (rest.length < end) break
      frames.push({ transaction: rest.readUInt16BE(0), unit: rest[6]!, pdu: rest.subarray(headerBytes, end) })
      rest = rest.subarray(end)
    }
    return frames
  }
}

const exceptions: Readonly<Record<number, readonly [code: ErrorCode, text: string]>> = {
  1: ['DEVICE_UNSUPPORTED', 'it does not know this function'],
  2: ['DEVICE_UNSUPPORTED', 'it has no such registers'],
  3: ['DEVICE_REFUSED', 'it refuses the value'],
  4: ['DEVICE_REFUSED', 'it failed to do it'],
  5: ['DEVICE_BUSY', 'it is still at work on it'],
  6: ['DEVICE_BUSY', 'it is busy'],
  8: ['DEVICE_BAD_REPLY', 'its memory has a parity error'],
  10: ['DEVICE_UNREACHABLE', 'the gateway has no way to this unit'],
  11: ['DEVICE_UNREACHABLE', 'nothing answers the gateway as this unit'],
}

/** The data of the reply to a request, checked against it. Throws what an exception means, or DEVICE_BAD_REPLY. */
export function dataOf(request: Buffer, reply: Buffer): Buffer {
  const fn = request[0]!
  if (reply[0] === (fn | 0x80)) {
    const number = reply[1] ?? 0
    const [code, text] = exceptions[number] ?? (['DEVICE_REFUSED', 'it refuses'] as const)
    throw new SdkError(code, `${text} (Modbus exception ${number})`, { details: { exception: number } })
  }
  if (reply[0] !== fn) throw new SdkError('DEVICE_BAD_REPLY', `the reply is to function ${reply[0]}, not ${fn}`)
  if (fn === 3 || fn === 4) {
    const bytes = request.readUInt16BE(3) * 2
    if (reply[1] !== bytes || reply.length !== bytes + 2)
      throw new SdkError('DEVICE_BAD_REPLY', `${bytes} bytes were asked for, ${Math.max(0, reply.length - 2)} came`)
    return reply.subarray(2)
  }
  if (!reply.subarray(1, 5).equals(request.subarray(1, 5)))
    throw new SdkError('DEVICE_BAD_REPLY', 'the reply to a write does not repeat it')
  return reply.subarray(1)
}
