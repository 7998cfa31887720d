import { type Metric, SdkError, type Static, Type } from '#model'
import { type ModbusRequest, table } from '../kit/modbus.js'
import type { ReadFunction } from '../kit/modbus-frame.js'
import { type Register, type RegisterTable, registerOptions } from '../kit/registers.js'
import { plainModel } from '../site-models.js'
import { presets } from './generic-presets.js'
import { defineMeter, type MeterValues, meterMetrics, meterOptions } from './meter.js'

const RegisterSchema = Type.Object(
  {
    field: Type.Enum(meterMetrics as Metric[], { description: 'What it is, in the unit of its name.' }),
    ...registerOptions,
  },
  { additionalProperties: false },
)
const GenericMeterOptionsSchema = Type.Object(
  {
    ...meterOptions,
    registers: Type.Optional(
      Type.Array(RegisterSchema, {
        minItems: 1,
        maxItems: 100,
        description: 'The register map; not needed with a `deviceType` that is known.',
      }),
    ),
  },
  { additionalProperties: false },
)
type GenericMeterOptions = Static<typeof GenericMeterOptionsSchema>

/** The registers of the configuration, else those of the type that it names. */
const values: ModbusRequest<MeterValues> = async (line, io) => {
  const { registers } = (io.options ?? {}) as GenericMeterOptions
  const maps = registers ? mapsOf(registers) : presetOf(io.said?.deviceType)
  const read: Record<string, number | undefined> = {}
  for (const { fn, map } of maps) Object.assign(read, await table(map, { fn })(line, io))
  return { ...read, says: registers ? { model: io.said?.deviceType ?? 'register map' } : {} } as MeterValues
}

function presetOf(deviceType: string | undefined) {
  const found = Object.entries(presets).find(([name]) => deviceType && plainModel(name) === plainModel(deviceType))
  if (found) return found[1]
  const known = Object.keys(presets).join(', ')
  throw new SdkError('CONFIG_INVALID', `options.registers is needed, or a deviceType of ${known}`, {
    details: { problems: [{ path: '/options/registers', message: 'is required' }] },
  })
}

function mapsOf(registers: NonNullable<GenericMeterOptions['registers']>): { fn: ReadFunction; map: RegisterTable }[] {
  return ([3, 4] as const).flatMap((fn) => {
    const mine = registers.filter((register) => (register.function ?? 3) === fn)
    if (mine.length === 0) return []
    const map = Object.fromEntries(
      mine.map(({ field, address, type, wordOrder = 'high', scale = 1, offset = 0 }): [string, Register] => [
        field,
        { at: address, type, words: wordOrder, scale, offset },
      ]),
    )
    return [{ fn, map }]
  })
}

export const genericMeter = defineMeter({
  library: 'powermeter-generic',
  make: 'Modbus',
  family: 'register map',
  models: Object.fromEntries(Object.keys(presets).map((name) => [name, {}])),
  options: GenericMeterOptionsSchema,
  values,
  reach: 'named',
})
