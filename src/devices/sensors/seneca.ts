import { type Reading, type Static, Type } from '#model'
import { defineDevice, type Probe, read } from '../define.js'
import { type ModbusRequest, modbus, modbusPort, onLine } from '../kit/modbus.js'
import { gapOption, highest, quantityFields, sensorErrors, unitOf } from './sensor.js'

/** Z-4RTD2 (protocols/sensors.md): four channels, a signed register each, in tenths of a degree. */
const first = 2
const channels = 4
/** What an open or shorted sensor reads. */
const fault = 8500

const name = Type.Optional(Type.String({ maxLength: 64 }))
const SenecaOptionsSchema = Type.Object(
  {
    gapMs: gapOption,
    channels: Type.Optional(
      Type.Array(Type.Integer({ minimum: 1, maximum: channels }), {
        minItems: 1,
        maxItems: channels,
        uniqueItems: true,
        description: 'The channels that have a sensor; default all four.',
      }),
    ),
    names: Type.Optional(
      Type.Object(
        { 1: name, 2: name, 3: name, 4: name },
        { additionalProperties: false, description: 'What each channel measures, by its number.' },
      ),
    ),
  },
  { additionalProperties: false },
)
type SenecaOptions = Static<typeof SenecaOptionsSchema>

const readChannels: ModbusRequest<Reading[]> = async (line, io) => {
  const options = (io.options ?? {}) as SenecaOptions
  const bytes = await line.read(first, channels)
  const used = options.channels ?? [1, 2, 3, 4]
  return used.map((channel) => {
    const raw = bytes.readInt16BE((channel - 1) * 2)
    const isBroken = raw === fault
    return {
      id: String(channel),
      name: options.names?.[channel as 1 | 2 | 3 | 4] ?? null,
      quantity: 'temperature',
      value: isBroken ? null : raw / 10,
      unit: unitOf('temperature'),
      fault: isBroken ? 'the sensor is open or shorted' : null,
    }
  })
}

const probe: Probe = {
  name: 'Seneca channels',
  port: modbusPort,
  run: (io) => onLine(io, async (line) => ({ readings: await readChannels(line, io), said: io.said !== undefined })),
}

const channelFields = ['temperature1C', 'temperature2C', 'temperature3C', 'temperature4C'] as const

export const seneca = defineDevice({
  library: 'sensor-seneca',
  kind: 'sensor',
  make: 'Seneca',
  family: 'Z-4RTD2',
  mainPort: modbusPort,
  models: { 'Z-4RTD2': {} },
  options: SenecaOptionsSchema,
  reach: 'gateway',
  identify: {
    probes: [probe],
    // Four small numbers prove nothing: without its operator's word it stays unknown.
    match(seen) {
      const answer = seen.answer(probe) as { said: boolean } | undefined
      if (!answer) return undefined
      return {
        confidence: answer.said ? 0.6 : 0.2,
        model: 'Z-4RTD2',
        why: ['its operator says so, and it has the registers'],
      }
    },
  },
  reads: { channels: read(modbus, readChannels, (reply) => reply as Reading[]) },
  telemetry: (from) => ({
    model: from('channels', () => 'Z-4RTD2'),
    readings: from('channels', (readings) => readings),
    ...Object.fromEntries(
      quantityFields.map(([field, quantity]) => [field, from('channels', (readings) => highest(readings, quantity))]),
    ),
    ...Object.fromEntries(
      channelFields.map((field, place) => [
        field,
        from('channels', (readings) => readings.find(({ id }) => id === String(place + 1))?.value),
      ]),
    ),
    errors: from('channels', sensorErrors),
  }),
  commands: {},
  defaults: { intervalMs: 5000, timeoutMs: 10_000, credentials: [] },
})
