import { Type } from '#model'

export const registerTypes = ['u16', 'i16', 'u32', 'i32', 'u64', 'i64', 'f32', 'f64'] as const
export type RegisterType = (typeof registerTypes)[number]

export const wordsOfType: Readonly<Record<RegisterType, number>> = {
  u16: 1,
  i16: 1,
  u32: 2,
  i32: 2,
  f32: 2,
  u64: 4,
  i64: 4,
  f64: 4,
}

/** One value in registers: where (wire address, 0-based), how it is written, and what makes it one of our units. */
export interface Register {
  readonly at: number
  readonly type: RegisterType
  readonly scale?: number
  readonly offset?: number
  /** Which word comes first; high unless said. */
  readonly words?: 'high' | 'low'
  /** Raw values that mean "no value". */
  readonly none?: readonly number[]
}

export type RegisterTable = Readonly<Record<string, Register>>

/** How a maker writes "no value": all ones (signed: the highest), as SunSpec does (signed: the lowest), or not at all. */
export type Nothing = 'ones' | 'sunspec' | 'never'

/** The value of a register out of the bytes of a block that starts at `first`; undefined: not reported. */
export function decode(
  register: Register,
  bytes: Buffer,
  first: number,
  nothing: Nothing = 'never',
): number | undefined {
  const start = (register.at - first) * 2
  const length = wordsOfType[register.type] * 2
  if (start < 0 || start + length > bytes.length) return undefined
  const ordered = register.words === 'low' ? swapped(bytes, start, length) : bytes.subarray(start, start + length)
  const raw = rawOf(register.type, ordered)
  if (raw === undefined || isNothing(register.type, ordered, nothing) || register.none?.includes(raw)) return undefined
  return tidy(raw * (register.scale ?? 1) + (register.offset ?? 0))
}

function rawOf(type: RegisterType, bytes: Buffer): number | undefined {
  switch (type) {
    case 'u16':
      return bytes.readUInt16BE()
    case 'i16':
      return bytes.readInt16BE()
    case 'u32':
      return bytes.readUInt32BE()
    case 'i32':
      return bytes.readInt32BE()
    case 'u64':
      return Number(bytes.readBigUInt64BE())
    case 'i64':
      return Number(bytes.readBigInt64BE())
    case 'f32':
      return finite(bytes.readFloatBE())
    case 'f64':
      return finite(bytes.readDoubleBE())
  }
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}

function isNothing(type: RegisterType, bytes: Buffer, nothing: Nothing): boolean {
  if (nothing === 'never' || type.startsWith('f')) return false
  const isSigned = type.startsWith('i')
  const first = isSigned ? (nothing === 'ones' ? 0x7f : 0x80) : 0xff
  const rest = isSigned && nothing === 'sunspec' ? 0 : 0xff
  return bytes.every((byte, index) => byte === (index === 0 ? first : rest))
}

/** Words the other way round; the bytes of a word stay. */
function swapped(bytes: Buffer, start: number, length: number): Buffer {
  const out = Buffer.alloc(length)
  for (let at = 0; at < length; at += 2) bytes.copy(out, length - 2 - at, start + at, start + at + 2)
  return out
}

/** A decimal scale leaves dust behind: 0.1 * 2301 is 230.10000000000002. */
function tidy(value: number): number {
  return Number(value.toPrecision(12))
}

export interface Block {
  readonly at: number
  readonly count: number
}

/** The requests that bring all registers of a table: neighbours together, gaps of at most `gap` registers read along. */
export function blocksOf(table: RegisterTable, gap = 0, most = 125): Block[] {
  const spans = Object.values(table)
    .map(({ at, type }) => ({ at, end: at + wordsOfType[type] }))
    .sort((a, b) => a.at - b.at)
  const blocks: { at: number; end: number }[] = []
  for (const { at, end } of spans) {
    const last = blocks.at(-1)
    if (last && at <= last.end + gap && Math.max(end, last.end) - last.at <= most) last.end = Math.max(last.end, end)
    else blocks.push({ at, end })
  }
  return blocks.map(({ at, end }) => ({ at, count: end - at }))
}

/** For settings: a register as an operator writes it, apart from what it means. */
export const registerOptions = {
  address: Type.Integer({ minimum: 0, maximum: 65535, description: 'Wire address, 0-based.' }),
  type: Type.Enum(registerTypes),
  function: Type.Optional(Type.Union([Type.Literal(3), Type.Literal(4)], { description: 'Default 3.' })),
  wordOrder: Type.Optional(Type.Enum(['high', 'low'], { description: 'Which word comes first; default high.' })),
  scale: Type.Optional(Type.Number({ description: 'The value in our unit is raw * scale + offset; default 1.' })),
  offset: Type.Optional(Type.Number()),
} as const
