import { Type } from '#model'
import { type Device, defineDevice, type Match, type Probe, read } from '../define.js'
import { modbus, modbusPort, onLine } from '../kit/modbus.js'
import { alarmError } from './alarm.js'
import { environmentAlarms } from './microbt-alarms.js'
import { microbtCommands } from './microbt-commands.js'
import {
  type Cdu,
  type Climate,
  type Environment,
  type Meters,
  type Pdus,
  readCdu,
  readClimate,
  readEnvironment,
  readMeters,
  readPdus,
  readRawHumidity,
  type Variant,
} from './microbt-values.js'

const OptionsSchema = Type.Object(
  {
    gapMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 5000,
        description: 'Pause between requests to its gateway, ms; default 50.',
      }),
    ),
  },
  { additionalProperties: false },
)

const probe: Probe = {
  name: 'MicroBT climate unit',
  port: modbusPort,
  run: (io) => onLine(io, async (line) => ({ humidity: await readRawHumidity(line, io), said: io.said?.deviceType })),
}

/** Tenths of a percent are never more than this; hundredths nearly always are. */
const mostTenths = 1000

function matchOf(variant: Variant, model: string, answer: { humidity: number; said?: string } | undefined) {
  if (!answer) return undefined
  const fits = variant === 'kehua' ? answer.humidity > mostTenths : answer.humidity <= mostTenths
  const isSaid = answer.said?.toLowerCase() === variant
  if (!fits && !isSaid) return undefined
  const why = [`humidity stands as ${answer.humidity}`, ...(isSaid ? ['its operator says so'] : [])]
  return { confidence: isSaid ? 0.8 : 0.6, model, why } satisfies Match
}

/** MicroBT containers (protocols/containers.md §C): many units behind one gateway. The two makers of the cooling scale differently. */
function microbtContainer(variant: Variant, model: string): Parameters<typeof defineDevice>[0] {
  const reply =
    <T>() =>
    (value: unknown) =>
      value as T
  return {
    library: 'container-microbt',
    kind: 'container',
    make: 'MicroBT',
    family: variant,
    mainPort: modbusPort,
    models: { [model]: {} },
    options: OptionsSchema,
    reach: 'gateway',
    identify: { probes: [probe], match: (seen) => matchOf(variant, model, seen.answer(probe) as never) },
    reads: {
      cdu: read(modbus, readCdu(variant), reply<Cdu>()),
      climate: read(modbus, readClimate(variant), reply<Climate>()),
      environment: read(modbus, readEnvironment, reply<Environment>()),
      meters: read(modbus, readMeters, reply<Meters>()),
      pdus: read(modbus, readPdus, reply<Pdus>()),
    },
    telemetry: (from) => ({
      model: from('cdu', () => model),
      apiVersion: from('cdu', ({ protocol }: Cdu) => String(protocol)),
      running: from('cdu', ({ running }: Cdu) => running),
      cooling: from('cdu', ({ cooling }: Cdu) => cooling),
      supplyTempC: from('cdu', ({ supplyC }: Cdu) => supplyC),
      returnTempC: from('cdu', ({ returnC }: Cdu) => returnC),
      supplyPressureKpa: from('cdu', ({ supplyKpa }: Cdu) => supplyKpa),
      returnPressureKpa: from('cdu', ({ returnKpa }: Cdu) => returnKpa),
      dewPointC: from('cdu', ({ dewPointC }: Cdu) => dewPointC),
      pumpSpeedPct: from('cdu', ({ pumpSpeedPct }: Cdu) => pumpSpeedPct),
      ambientTempC: from('climate', ({ tempC }: Climate) => tempC),
      humidityPct: from('climate', ({ humidityPct }: Climate) => humidityPct),
      powerW: from('meters', ({ powerW }: Meters) => powerW),
      energyImportKwh: from('meters', ({ energyKwh }: Meters) => energyKwh),
      apparentPowerVa: from('meters', ({ apparentVa }: Meters) => apparentVa),
      powerFactor: from('meters', (meters: Meters) => meters.powerFactor),
      frequencyHz: from('meters', (meters: Meters) => meters.frequencyHz),
      voltageL12V: from('meters', ({ voltages }: Meters) => voltages[0]),
      voltageL23V: from('meters', ({ voltages }: Meters) => voltages[1]),
      voltageL31V: from('meters', ({ voltages }: Meters) => voltages[2]),
      currentL1A: from('meters', ({ currents }: Meters) => currents[0]),
      currentL2A: from('meters', ({ currents }: Meters) => currents[1]),
      currentL3A: from('meters', ({ currents }: Meters) => currents[2]),
      pdus: from('pdus', ({ pdus }: Pdus) => pdus),
      errors: ['cdu', 'environment', 'pdus'].map((name) =>
        from(name, (_, __, all) => errorsOf(all as Parameters<typeof errorsOf>[0])),
      ),
    }),
    commands: microbtCommands,
    defaults: { intervalMs: 30_000, timeoutMs: 30_000, credentials: [] },
  }
}

function errorsOf(all: { cdu?: Cdu; environment?: Environment; pdus?: Pdus }) {
  const { cdu, environment, pdus } = all
  return [
    ...(cdu?.errors ?? []),
    ...(environment?.smoke ? [alarmError(environmentAlarms.smoke, { vendorCode: 'smoke' })] : []),
    ...(environment?.water ? [alarmError(environmentAlarms.water, { vendorCode: 'water' })] : []),
    ...(pdus?.errors ?? []),
  ]
}

export const microbtKehua: Device = defineDevice(microbtContainer('kehua', 'Kehua'))
export const microbtWonderint: Device = defineDevice(microbtContainer('wonderint', 'Wonderint'))
