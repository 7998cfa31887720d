import { type Metric, SdkError, type Static, type TSchema, Type } from '#model'
import { type Device, defineDevice, type Evidence, type Model, type Probe, type Reads, read } from '../define.js'
import type { Io } from '../io.js'
import { type ModbusRequest, modbus, modbusPort, onLine, type Values } from '../kit/modbus.js'
import { plainModel } from '../site-models.js'

/** Settings that every meter has. */
export const meterOptions = {
  measures: Type.Optional(
    Type.Enum(['site', 'part'], {
      description:
        'Where it stands: `site`, at the connection of the site, so that it counts as its power; else `part`.',
    }),
  ),
  reversed: Type.Optional(
    Type.Boolean({ description: 'Its current transformers are the wrong way round: power changes its sign.' }),
  ),
  gapMs: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 5000, description: 'Pause between requests to its gateway, ms; default 50.' }),
  ),
} as const
export const MeterOptionsSchema = Type.Object(meterOptions, { additionalProperties: false })
type MeterOptions = Static<typeof MeterOptionsSchema>

/** What a meter is made of: its registers in one read that has to succeed and others that not every model has. */
export interface MeterDefinition {
  readonly library: string
  readonly make: string
  readonly family: string
  /** What it can be; the first is meant where nobody says which. */
  readonly models: Readonly<Record<string, Model>>
  readonly options?: TSchema
  /** Values by metric, in our units. */
  readonly values: ModbusRequest<MeterValues>
  readonly more?: Readonly<Record<string, ModbusRequest<MeterValues>>>
  /** How sure its own evidence makes us beyond plausible voltages. */
  readonly evidence?: (values: MeterValues) => number | undefined
  readonly reach?: Device['reach']
}

/** What a meter that says who it is says. */
interface Says {
  readonly model?: string
  readonly serial?: string
  readonly firmwareVersion?: string
}

/** Values by metric, and what a meter says of itself. */
export type MeterValues = Values & { readonly says?: Says }

const minute = 60_000
const voltages = ['voltageL1V', 'voltageL2V', 'voltageL3V'] as const
const lines = ['voltageL12V', 'voltageL23V', 'voltageL31V'] as const
const turnedAround: readonly Metric[] = ['powerW', 'powerL1W', 'powerL2W', 'powerL3W']
/** What a meter can tell. */
export const meterMetrics: readonly Metric[] = [
  'powerW',
  'sitePowerW',
  'voltageV',
  ...voltages,
  ...lines,
  'currentA',
  'currentL1A',
  'currentL2A',
  'currentL3A',
  'currentNA',
  'powerL1W',
  'powerL2W',
  'powerL3W',
  'reactivePowerVar',
  'reactiveL1Var',
  'reactiveL2Var',
  'reactiveL3Var',
  'apparentPowerVa',
  'apparentL1Va',
  'apparentL2Va',
  'apparentL3Va',
  'powerFactor',
  'powerFactorL1',
  'powerFactorL2',
  'powerFactorL3',
  'frequencyHz',
  'energyImportKwh',
  'energyExportKwh',
  'thdVoltagePct',
  'thdCurrentPct',
]

/** A power meter (protocols/powermeters.md §6): one table of registers or several, read over its gateway. Meters take no commands. */
export function defineMeter(definition: MeterDefinition): Device {
  const { library, make, family, models, more = {}, options = MeterOptionsSchema } = definition
  const reads: Reads = {
    values: read(modbus, placed(definition.values, models), sameValues),
    ...Object.fromEntries(
      Object.entries(more).map(([name, request]) => [
        name,
        read(modbus, placed(request, models), sameValues, { optional: true, everyMs: name === 'energy' ? minute : 0 }),
      ]),
    ),
  }
  const sources = Object.keys(reads)
  const probe: Probe = {
    name: `${make} ${family}`,
    port: modbusPort,
    run: (io) =>
      onLine(io, async (line) => ({ values: await definition.values(line, io), said: io.said !== undefined })),
  }
  return defineDevice({
    library,
    kind: 'powermeter',
    make,
    family,
    mainPort: modbusPort,
    models,
    options,
    reach: definition.reach ?? 'gateway',
    identify: { probes: [probe], match: (seen) => matchOf(definition, probe, seen) },
    reads,
    telemetry: (from) => ({
      model: from('values', ({ says }: MeterValues) => says?.model),
      serial: from('values', ({ says }: MeterValues) => says?.serial),
      firmwareVersion: from('values', ({ says }: MeterValues) => says?.firmwareVersion),
      ...Object.fromEntries(
        meterMetrics.map((metric) => [
          metric,
          sources.map((source) => from(source, (values: Values) => values[metric])),
        ]),
      ),
    }),
    commands: {},
    defaults: { intervalMs: 5000, timeoutMs: 8000, credentials: [] },
  })
}

function sameValues(reply: unknown): MeterValues {
  return reply as MeterValues
}

/** The values with what the site's settings make of them. */
function placed(request: ModbusRequest<MeterValues>, models: MeterDefinition['models']): ModbusRequest<MeterValues> {
  return async (line, io) => {
    const { measures, reversed } = (io.options ?? {}) as MeterOptions
    const read = await request(line, io)
    const values: Record<string, unknown> = { ...read }
    if (reversed) {
      for (const metric of turnedAround) if (read[metric] !== undefined) values[metric] = 0 - read[metric]
      values.energyImportKwh = read.energyExportKwh
      values.energyExportKwh = read.energyImportKwh
    }
    values.voltageV = read.voltageV ?? mean(lines.map((name) => read[name]))
    if (measures === 'site') values.sitePowerW = values.powerW
    return { ...values, says: { ...read.says, model: read.says?.model ?? modelSaid(io, models) } } as MeterValues
  }
}

function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  if (known.length === 0) return undefined
  return Number((known.reduce((sum, value) => sum + value, 0) / known.length).toPrecision(9))
}

/** Meters do not say what they are: the operator does, or there is only one of the kind. */
function modelSaid({ said }: Io, models: MeterDefinition['models']): string | undefined {
  const names = Object.keys(models)
  const type = said?.deviceType
  return (type && names.find((name) => plainModel(name) === plainModel(type))) || names[0]
}

/** Between phases and to neutral: the root of 3, and room for unbalance. */
const leastRatio = 1.6
const mostRatio = 1.87

/** Three phases that fit one another are no accident; otherwise only the operator's word makes it a meter. */
function matchOf({ make, family, evidence }: MeterDefinition, probe: Probe, seen: Evidence) {
  const answer = seen.answer(probe) as { values: MeterValues; said: boolean } | undefined
  if (!answer) return undefined
  const { values, said } = answer
  const own = evidence?.(values)
  if (own === 0 || !Object.keys(values).some((name) => name !== 'says')) return undefined
  const ratio = (mean(lines.map((name) => values[name])) ?? 0) / (mean(voltages.map((name) => values[name])) || 1)
  const isThreePhase = ratio > leastRatio && ratio < mostRatio
  const confidence = own ?? (isThreePhase ? (said ? 0.8 : 0.7) : said ? 0.6 : 0.3)
  const why = [
    ...(own ? [`it says that it is a ${make} ${family}`] : []),
    ...(isThreePhase ? [`at the registers of ${make} ${family} stand three phases that fit`] : []),
    ...(said ? ['its operator says so'] : []),
  ]
  return { confidence, model: values.says?.model, why }
}

/** For tables that depend on settings: refuses when they are missing. */
export function needed<T>(options: Readonly<Record<string, unknown>> | undefined, key: string): T {
  const value = options?.[key]
  if (value === undefined)
    throw new SdkError('CONFIG_INVALID', `options.${key} is needed: it depends on the site`, {
      details: { problems: [{ path: `/options/${key}`, message: 'is required' }] },
    })
  return value as T
}
