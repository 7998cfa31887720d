import { Type } from '#model'
import { type ModbusRequest, table } from '../kit/modbus.js'
import type { RegisterTable } from '../kit/registers.js'
import { defineMeter, type MeterValues, meterOptions } from './meter.js'

const float = (at: number, scale = 1) => ({ at, type: 'f32', scale }) as const

/** PM5xxx and iEM3000 (protocols/powermeters.md §3): kW, kvar and kVA as floats. */
const pm5: RegisterTable = {
  currentL1A: float(2999),
  currentL2A: float(3001),
  currentL3A: float(3003),
  currentNA: float(3005),
  voltageL12V: float(3019),
  voltageL23V: float(3021),
  voltageL31V: float(3023),
  voltageV: float(3025),
  voltageL1V: float(3027),
  voltageL2V: float(3029),
  voltageL3V: float(3031),
  powerL1W: float(3053, 1000),
  powerL2W: float(3055, 1000),
  powerL3W: float(3057, 1000),
  powerW: float(3059, 1000),
  reactiveL1Var: float(3061, 1000),
  reactiveL2Var: float(3063, 1000),
  reactiveL3Var: float(3065, 1000),
  reactivePowerVar: float(3067, 1000),
  apparentL1Va: float(3069, 1000),
  apparentL2Va: float(3071, 1000),
  apparentL3Va: float(3073, 1000),
  apparentPowerVa: float(3075, 1000),
  powerFactorL1: float(3077),
  powerFactorL2: float(3079),
  powerFactorL3: float(3081),
  powerFactor: float(3083),
  frequencyHz: float(3109),
}
const factors = ['powerFactor', 'powerFactorL1', 'powerFactorL2', 'powerFactorL3'] as const
const block = [{ at: 2999, count: 112 }]

const values: ModbusRequest<MeterValues> = async (line, io) => {
  const read = await table(pm5, { blocks: block })(line, io)
  return { ...read, ...Object.fromEntries(factors.map((name) => [name, quadrants(read[name])])) }
}

/** The maker folds the quadrant into the factor: beyond 1 it leads and is counted back from 2. */
export function quadrants(value: number | undefined): number | undefined {
  if (value === undefined) return undefined
  return Number((value > 1 ? 2 - value : value < -1 ? -2 - value : value).toPrecision(7))
}

export const schneiderPm5 = defineMeter({
  library: 'powermeter-schneider',
  make: 'Schneider',
  family: 'PM5000',
  models: { PM5340: {}, PM5100: {}, PM5300: {}, PM5500: {}, PM5560: {}, iEM3000: {} },
  values,
  more: {
    energy: table({
      energyImportKwh: { at: 3203, type: 'i64', scale: 0.001 },
      energyExportKwh: { at: 3207, type: 'i64', scale: 0.001 },
    }),
  },
})

const short = (at: number, scale: number) => ({ at, type: 'i16', scale }) as const

/** The relay P3U30: the scale of its voltages and of the frequency depends on how it was set up. */
export const schneiderP3u30 = defineMeter({
  library: 'powermeter-schneider',
  make: 'Schneider',
  family: 'P3U30',
  models: { P3U30: {} },
  options: Type.Object(
    {
      ...meterOptions,
      voltageScale: Type.Optional(
        Type.Number({ exclusiveMinimum: 0, maximum: 1e5, description: 'Volts of one part; default 1.' }),
      ),
      frequencyScale: Type.Optional(
        Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'Hertz of one part; default 0.01.' }),
      ),
    },
    { additionalProperties: false },
  ),
  values(line, io) {
    const { voltageScale = 1, frequencyScale = 0.01 } = (io.options ?? {}) as Record<string, number | undefined>
    const registers: RegisterTable = {
      voltageL12V: short(2013, voltageScale),
      voltageL23V: short(2014, voltageScale),
      voltageL31V: short(2015, voltageScale),
      voltageL1V: short(2016, voltageScale),
      voltageL2V: short(2017, voltageScale),
      voltageL3V: short(2018, voltageScale),
      frequencyHz: short(2020, frequencyScale),
      powerW: short(2021, 1000),
      reactivePowerVar: short(2022, 1000),
      apparentPowerVa: short(2023, 1000),
    }
    return table(registers, { blocks: [{ at: 2013, count: 11 }] })(line, io)
  },
})
