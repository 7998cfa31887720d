import { Type } from '#model'
import { table } from '../kit/modbus.js'
import type { RegisterTable } from '../kit/registers.js'
import { defineMeter, meterOptions } from './meter.js'

const volts = (at: number) => ({ at, type: 'u32', scale: 0.1 }) as const
const amperes = (at: number) => ({ at, type: 'u32', scale: 0.01 }) as const
const hundredths = (at: number) => ({ at, type: 'i32', scale: 0.01 }) as const
const ones = { nothing: 'ones' } as const

/** B23 and B24 (protocols/powermeters.md §1): phase voltages, line voltages in the maker's order L1-L2, L3-L2, L1-L3. */
const bSeries: RegisterTable = {
  voltageL1V: volts(0x5b00),
  voltageL2V: volts(0x5b02),
  voltageL3V: volts(0x5b04),
  voltageL12V: volts(0x5b06),
  voltageL23V: volts(0x5b08),
  voltageL31V: volts(0x5b0a),
  currentL1A: amperes(0x5b0c),
  currentL2A: amperes(0x5b0e),
  currentL3A: amperes(0x5b10),
  currentNA: amperes(0x5b12),
  powerW: hundredths(0x5b14),
  powerL1W: hundredths(0x5b16),
  powerL2W: hundredths(0x5b18),
  powerL3W: hundredths(0x5b1a),
  reactivePowerVar: hundredths(0x5b1c),
}
const bSeriesMore: RegisterTable = {
  reactiveL1Var: hundredths(0x5b1e),
  reactiveL2Var: hundredths(0x5b20),
  reactiveL3Var: hundredths(0x5b22),
  apparentPowerVa: hundredths(0x5b24),
  apparentL1Va: hundredths(0x5b26),
  apparentL2Va: hundredths(0x5b28),
  apparentL3Va: hundredths(0x5b2a),
  frequencyHz: { at: 0x5b2c, type: 'u16', scale: 0.01 },
}
const factor = (at: number) => ({ at, type: 'i16', scale: 0.001 }) as const
const bSeriesFactors: RegisterTable = {
  powerFactor: factor(0x5b3a),
  powerFactorL1: factor(0x5b3b),
  powerFactorL2: factor(0x5b3c),
  powerFactorL3: factor(0x5b3d),
}
const bSeriesEnergy: RegisterTable = {
  energyImportKwh: { at: 0x5000, type: 'u64', scale: 0.01 },
  energyExportKwh: { at: 0x5004, type: 'u64', scale: 0.01 },
}

export const abbBSeries = defineMeter({
  library: 'powermeter-abb',
  make: 'ABB',
  family: 'B-series',
  models: { B23: {}, B24: {} },
  values: table(bSeries, ones),
  more: {
    more: table(bSeriesMore, ones),
    factors: table(bSeriesFactors, ones),
    energy: table(bSeriesEnergy, ones),
  },
})

/** M1M20 and M4M20: the same place, another order, and the powers in whole watts elsewhere. */
const mSeries: RegisterTable = {
  voltageL1V: volts(0x5b02),
  voltageL2V: volts(0x5b04),
  voltageL3V: volts(0x5b06),
  voltageL12V: volts(0x5b08),
  voltageL23V: volts(0x5b0a),
  voltageL31V: volts(0x5b0c),
  currentA: amperes(0x5b0e),
  currentL1A: amperes(0x5b10),
  currentL2A: amperes(0x5b12),
  currentL3A: amperes(0x5b14),
  currentNA: amperes(0x5b16),
  powerW: { at: 0xcb1a, type: 'i32' },
  powerL1W: { at: 0xcb1c, type: 'i32' },
  powerL2W: { at: 0xcb1e, type: 'i32' },
  powerL3W: { at: 0xcb20, type: 'i32' },
  reactivePowerVar: { at: 0xcb22, type: 'i32' },
}

export const abbMSeries = defineMeter({
  library: 'powermeter-abb',
  make: 'ABB',
  family: 'M-series',
  models: { M4M20: {}, M1M20: {} },
  values: table(mSeries, {
    ...ones,
    blocks: [
      { at: 0x5b00, count: 24 },
      { at: 0xcb1a, count: 10 },
    ],
  }),
  more: {
    frequency: table({ frequencyHz: { at: 0x5b32, type: 'u16', scale: 0.01 } }, ones),
    energy: table(
      {
        energyImportKwh: { at: 0x5000, type: 'u64', scale: 0.01 },
        energyExportKwh: { at: 0x5004, type: 'u64', scale: 0.01 },
      },
      ones,
    ),
  },
})

/** The map of a REU615 relay is the engineer's choice: its addresses are settings, with the usual ones as defaults. */
export const abbReu615 = defineMeter({
  library: 'powermeter-abb',
  make: 'ABB',
  family: 'REU615',
  models: { REU615: {} },
  options: Type.Object(
    {
      ...meterOptions,
      powerAddress: Type.Optional(
        Type.Integer({ minimum: 0, maximum: 65534, description: 'Wire address of the power, i32 in W; default 1939.' }),
      ),
      voltageAddress: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 65534,
          description: 'Wire address of the voltage, u32 in V; default 1941.',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  values(line, io) {
    const { powerAddress = 1939, voltageAddress = 1941 } = (io.options ?? {}) as Record<string, number | undefined>
    const registers: RegisterTable = {
      powerW: { at: powerAddress, type: 'i32' },
      voltageV: { at: voltageAddress, type: 'u32' },
    }
    return table(registers, ones)(line, io)
  },
})
