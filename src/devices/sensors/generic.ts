import { quantities, type Reading, type Static, Type } from '#model'
import { defineDevice, type Probe, read } from '../define.js'
import { type Line, type ModbusRequest, modbus, modbusPort, onLine } from '../kit/modbus.js'
import { decode, registerOptions, wordsOfType } from '../kit/registers.js'
import { gapOption, highest, quantityFields, sensorErrors, unitOf } from './sensor.js'

const ReadingOptionsSchema = Type.Object(
  {
    quantity: Type.Enum(quantities, {
      description: 'temperature °C, humidity %RH, pressure kPa, flow L/min, level %, digital 0/1.',
    }),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    ...registerOptions,
    faultValues: Type.Optional(
      Type.Array(Type.Number(), { maxItems: 16, description: 'Raw values that mean a broken sensor.' }),
    ),
    min: Type.Optional(Type.Number({ description: 'What is below cannot be, and counts as a fault.' })),
    max: Type.Optional(Type.Number({ description: 'What is above cannot be, and counts as a fault.' })),
    bit: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 15, description: 'Of a digital input: the bit in its register.' }),
    ),
  },
  { additionalProperties: false },
)
const GenericSensorOptionsSchema = Type.Object(
  {
    gapMs: gapOption,
    readings: Type.Array(ReadingOptionsSchema, {
      minItems: 1,
      maxItems: 64,
      description: 'What it measures, and where.',
    }),
  },
  { additionalProperties: false },
)
type ReadingOptions = Static<typeof ReadingOptionsSchema>

const readAll: ModbusRequest<Reading[]> = async (line, io) => {
  const { readings } = io.options as Static<typeof GenericSensorOptionsSchema>
  const taken: Reading[] = []
  for (const [index, options] of readings.entries()) taken.push(await take(line, options, index))
  return taken
}

async function take(line: Line, options: ReadingOptions, index: number): Promise<Reading> {
  const { address, type, function: fn = 3, wordOrder = 'high', quantity, name = null } = options
  const bytes = await line.read(address, wordsOfType[type], { fn })
  const raw = decode({ at: address, type, words: wordOrder }, bytes, address)
  const base = { id: String(index + 1), name, quantity, unit: unitOf(quantity) }
  if (raw === undefined || options.faultValues?.includes(raw))
    return { ...base, value: null, fault: 'the sensor says that it fails' }
  const value = quantity === 'digital' ? digital(raw, options.bit) : scaled(raw, options)
  if ((options.min !== undefined && value < options.min) || (options.max !== undefined && value > options.max))
    return { ...base, value: null, fault: `${value} ${base.unit} cannot be` }
  return { ...base, value, fault: null }
}

function scaled(raw: number, { scale = 1, offset = 0 }: ReadingOptions): number {
  return Number((raw * scale + offset).toPrecision(12))
}

function digital(raw: number, bit: number | undefined): number {
  return bit === undefined ? Number(raw !== 0) : (raw >> bit) & 1
}

const probe: Probe = {
  name: 'configured registers',
  port: modbusPort,
  run: (io) => onLine(io, (line) => readAll(line, io)),
}

/** Any transmitter with registers (protocols/sensors.md): what stands where is configuration. */
export const genericSensor = defineDevice({
  library: 'sensor-generic',
  kind: 'sensor',
  make: 'Modbus',
  family: 'register map',
  mainPort: modbusPort,
  models: {},
  options: GenericSensorOptionsSchema,
  reach: 'named',
  identify: {
    probes: [probe],
    match: (seen) =>
      seen.answer(probe) ? { confidence: 0.9, why: ['the configured registers are there'] } : undefined,
  },
  reads: { readings: read(modbus, readAll, (reply) => reply as Reading[]) },
  telemetry: (from) => ({
    readings: from('readings', (readings) => readings),
    ...Object.fromEntries(
      quantityFields.map(([field, quantity]) => [field, from('readings', (readings) => highest(readings, quantity))]),
    ),
    errors: from('readings', sensorErrors),
  }),
  commands: {},
  defaults: { intervalMs: 5000, timeoutMs: 10_000, credentials: [] },
})
