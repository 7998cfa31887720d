import { SdkError } from '#model'
import type { Io } from '../io.js'
import type { Line, ModbusRequest } from '../kit/modbus.js'
import { decode, type RegisterType } from '../kit/registers.js'
import { defineMeter, type MeterValues } from './meter.js'

/** SunSpec models (protocols/powermeters.md §5). Offsets are from the model's id register. */
const bases = [40000, 50000, 0]
const marker = 0x53756e53
const endOfModels = 0xffff
const commonModel = 1
/** A chain is never so long; one that is goes round in circles. */
const maxModels = 64

interface Point {
  readonly at: number
  readonly type: RegisterType
  /** Where the power of ten stands. */
  readonly sf?: number
  readonly scale?: number
}
type Points = Readonly<Record<string, Point>>

const signed = (at: number, sf: number, scale = 1): Point => ({ at, type: 'i16', sf, scale })
const counter = (at: number): Point => ({ at, type: 'u32', sf: 54, scale: 0.001 })
const float = (at: number, scale = 1): Point => ({ at, type: 'f32', scale })

/** Models 201 to 204: whole numbers with a scale factor. The power factor is in percent. */
const whole: Points = {
  currentA: signed(2, 6),
  currentL1A: signed(3, 6),
  currentL2A: signed(4, 6),
  currentL3A: signed(5, 6),
  voltageL1V: signed(8, 15),
  voltageL2V: signed(9, 15),
  voltageL3V: signed(10, 15),
  voltageV: signed(11, 15),
  voltageL12V: signed(12, 15),
  voltageL23V: signed(13, 15),
  voltageL31V: signed(14, 15),
  frequencyHz: signed(16, 17),
  powerW: signed(18, 22),
  powerL1W: signed(19, 22),
  powerL2W: signed(20, 22),
  powerL3W: signed(21, 22),
  apparentPowerVa: signed(23, 27),
  apparentL1Va: signed(24, 27),
  apparentL2Va: signed(25, 27),
  apparentL3Va: signed(26, 27),
  reactivePowerVar: signed(28, 32),
  reactiveL1Var: signed(29, 32),
  reactiveL2Var: signed(30, 32),
  reactiveL3Var: signed(31, 32),
  powerFactor: signed(33, 37, 0.01),
  powerFactorL1: signed(34, 37, 0.01),
  powerFactorL2: signed(35, 37, 0.01),
  powerFactorL3: signed(36, 37, 0.01),
  energyExportKwh: counter(38),
  energyImportKwh: counter(46),
}

/** Models 211 to 214: floats. */
const floats: Points = {
  currentA: float(2),
  currentL1A: float(4),
  currentL2A: float(6),
  currentL3A: float(8),
  voltageL1V: float(12),
  voltageL2V: float(14),
  voltageL3V: float(16),
  voltageV: float(18),
  voltageL12V: float(20),
  voltageL23V: float(22),
  voltageL31V: float(24),
  frequencyHz: float(26),
  powerW: float(28),
  powerL1W: float(30),
  powerL2W: float(32),
  powerL3W: float(34),
  apparentPowerVa: float(36),
  apparentL1Va: float(38),
  apparentL2Va: float(40),
  apparentL3Va: float(42),
  reactivePowerVar: float(44),
  reactiveL1Var: float(46),
  reactiveL2Var: float(48),
  reactiveL3Var: float(50),
  powerFactor: float(52, 0.01),
  powerFactorL1: float(54, 0.01),
  powerFactorL2: float(56, 0.01),
  powerFactorL3: float(58, 0.01),
  energyExportKwh: float(60, 0.001),
  energyImportKwh: float(68, 0.001),
}

const meters: Readonly<Record<number, Points>> = {
  201: whole,
  202: whole,
  203: whole,
  204: whole,
  211: floats,
  212: floats,
  213: floats,
  214: floats,
}

interface Place {
  readonly model: number
  /** Address of the id register, and the length of the data after id and length. */
  readonly at: number
  readonly length: number
}

const placesKey = 'sunspec: models'

/** Finds the models once, then reads the common one and the meter. Throws DEVICE_UNKNOWN if there is no SunSpec or no meter. */
const values: ModbusRequest<MeterValues> = async (line, io) => {
  const places = await placesOf(line, io)
  const place = places.find(({ model }) => meters[model])
  if (!place)
    throw new SdkError(
      'DEVICE_UNKNOWN',
      `it has SunSpec models ${places.map(({ model }) => model).join(', ')}, no meter`,
    )
  const common = places.find(({ model }) => model === commonModel)
  const bytes = await readModel(line, place)
  const says = common ? saysOf(await readModel(line, common)) : {}
  return { ...valuesOf(meters[place.model]!, bytes), says } as MeterValues
}

async function placesOf(line: Line, io: Io): Promise<readonly Place[]> {
  const known = io.memory.get(placesKey) as readonly Place[] | undefined
  if (known) return known
  for (const base of bases) {
    const found = await marked(line, base)
    if (!found) continue
    const places = await walk(line, base + 2)
    io.memory.set(placesKey, places)
    return places
  }
  throw new SdkError('DEVICE_UNKNOWN', 'it has no SunSpec marker at 40000, 50000 or 0')
}

/** A device without registers there says so: that is an answer too. */
async function marked(line: Line, base: number): Promise<boolean> {
  try {
    return (await line.read(base, 2)).readUInt32BE() === marker
  } catch (error) {
    if (error instanceof SdkError && error.code === 'DEVICE_UNSUPPORTED') return false
    throw error
  }
}

async function walk(line: Line, first: number): Promise<Place[]> {
  const places: Place[] = []
  for (let at = first; places.length < maxModels; ) {
    const head = await line.read(at, 2)
    const model = head.readUInt16BE()
    const length = head.readUInt16BE(2)
    if (model === endOfModels) return places
    places.push({ model, at, length })
    at += 2 + length
    if (at > 0xfffd) break
  }
  throw new SdkError('DEVICE_BAD_REPLY', 'its chain of SunSpec models has no end')
}

/** As much as one request brings; what we read stands at the beginning. */
function readModel(line: Line, { at, length }: Place): Promise<Buffer> {
  return line.read(at, Math.min(length + 2, 125))
}

function valuesOf(points: Points, bytes: Buffer): Record<string, number> {
  const values: Record<string, number> = {}
  for (const [name, { at, type, sf, scale = 1 }] of Object.entries(points)) {
    const raw = decode({ at, type }, bytes, 0, 'sunspec')
    // A counter at 0 means "not implemented"; so does a scale that is none.
    if (raw === undefined || (type === 'u32' && raw === 0)) continue
    const power = sf === undefined ? 0 : decode({ at: sf, type: 'i16' }, bytes, 0, 'sunspec')
    if (power === undefined || power < -10 || power > 10) continue
    values[name] = Number((raw * 10 ** power * scale).toPrecision(12))
  }
  return values
}

function saysOf(bytes: Buffer) {
  const text = (at: number, count: number) =>
    bytes
      .subarray(at * 2, (at + count) * 2)
      .toString('latin1')
      .split('\0')[0]!
      .trim() || undefined
  const [make, model, serial, firmwareVersion] = [text(2, 16), text(18, 16), text(50, 16), text(42, 8)]
  return {
    ...(make && model ? { model: `${make} ${model}` } : model ? { model } : {}),
    ...(serial ? { serial } : {}),
    ...(firmwareVersion ? { firmwareVersion } : {}),
  }
}

export const sunspec = defineMeter({
  library: 'powermeter-sunspec',
  make: 'SunSpec',
  family: 'meter',
  models: {},
  values,
  // The marker and a model of a meter are there, or there are no values.
  evidence: () => 0.95,
})
