import { Type } from '#model'
import { type ModbusRequest, type TableOptions, table } from '../kit/modbus.js'
import type { RegisterTable } from '../kit/registers.js'
import { defineMeter, type MeterValues, meterOptions, needed } from './meter.js'

/** Values are 0 to 9999 parts of a range; which range is a matter of the transformers at the site. */
const parts = 9999

const unsigned = (at: number, high: number) => ({ at, type: 'u16', scale: high / parts }) as const
const aroundZero = (at: number, high: number) =>
  ({ at, type: 'u16', scale: (2 * high) / parts, offset: -high }) as const

/** The 16-bit block of PM130 and PM180 (protocols/powermeters.md §2). What stands at 276 and 277 is in doubt and left out. */
function registersOf(maxV: number, maxA: number, maxW: number): RegisterTable {
  return {
    voltageL12V: unsigned(256, maxV),
    voltageL23V: unsigned(257, maxV),
    voltageL31V: unsigned(258, maxV),
    currentL1A: unsigned(259, maxA),
    currentL2A: unsigned(260, maxA),
    currentL3A: unsigned(261, maxA),
    powerFactorL1: aroundZero(271, 1),
    powerFactorL2: aroundZero(272, 1),
    powerFactorL3: aroundZero(273, 1),
    powerFactor: aroundZero(274, 1),
    powerW: aroundZero(275, maxW),
  }
}

const values: ModbusRequest<MeterValues> = (line, io) => {
  const limit = (key: string) => needed<number>(io.options, key)
  const registers = registersOf(limit('maxVoltageV'), limit('maxCurrentA'), limit('maxPowerKw') * 1000)
  const options: TableOptions = {
    blocks: [
      { at: 256, count: 6 },
      { at: 271, count: 7 },
    ],
  }
  return table(registers, options)(line, io)
}

/** Of each line, in thousandths as the one integration that reads them takes them; the highest counts. */
const distortion: ModbusRequest<MeterValues> = async (line, io) => {
  const scale = (io.options?.thdScale as number | undefined) ?? 0.001
  const bytes = await line.read(295, 6)
  const highest = (first: number) =>
    Math.max(...[0, 1, 2].map((place) => bytes.readUInt16BE((first + place) * 2))) * scale
  return { thdVoltagePct: Number(highest(0).toFixed(6)), thdCurrentPct: Number(highest(3).toFixed(6)) }
}

const above0 = { exclusiveMinimum: 0, maximum: 1e7 } as const

export const satec = defineMeter({
  library: 'powermeter-satec',
  make: 'SATEC',
  family: '16-bit',
  models: { PM180: {}, PM130: {} },
  options: Type.Object(
    {
      ...meterOptions,
      maxVoltageV: Type.Number({
        ...above0,
        description: 'Voltage at 9999: 144 V times the ratio of the transformers.',
      }),
      maxCurrentA: Type.Number({ ...above0, description: 'Current at 9999.' }),
      maxPowerKw: Type.Number({
        ...above0,
        description: 'Power at 9999: voltage times current times 2 (or 3), in kW.',
      }),
      thdScale: Type.Optional(
        Type.Number({ ...above0, description: 'One part of the distortion in %; default 0.001.' }),
      ),
    },
    { additionalProperties: false },
  ),
  values,
  more: { distortion },
})
