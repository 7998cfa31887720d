import type { ReadFunction } from '../kit/modbus-frame.js'
import type { Register, RegisterTable } from '../kit/registers.js'

/** Register maps of common meters (protocols/powermeters.md §4), by the `deviceType` that means them. */
export interface Preset {
  readonly fn: ReadFunction
  readonly map: RegisterTable
}

const float = (at: number, scale = 1): Register => ({ at, type: 'f32', scale })
const lowFirst = (at: number, scale: number): Register => ({ at, type: 'i32', words: 'low', scale })

const eastron: Preset = {
  fn: 4,
  map: {
    voltageL1V: float(0x0000),
    voltageL2V: float(0x0002),
    voltageL3V: float(0x0004),
    currentL1A: float(0x0006),
    currentL2A: float(0x0008),
    currentL3A: float(0x000a),
    powerL1W: float(0x000c),
    powerL2W: float(0x000e),
    powerL3W: float(0x0010),
    powerW: float(0x0034),
    apparentPowerVa: float(0x0038),
    reactivePowerVar: float(0x003c),
    powerFactor: float(0x003e),
    frequencyHz: float(0x0046),
    energyImportKwh: float(0x0048),
    energyExportKwh: float(0x004a),
  },
}

const janitza: Preset = {
  fn: 3,
  map: {
    voltageL1V: float(0x4a38),
    voltageL2V: float(0x4a3a),
    voltageL3V: float(0x4a3c),
    currentL1A: float(0x4a44),
    currentL2A: float(0x4a46),
    currentL3A: float(0x4a48),
    powerL1W: float(0x4a4c),
    powerL2W: float(0x4a4e),
    powerL3W: float(0x4a50),
    powerW: float(0x4a52),
    powerFactorL1: float(0x4a64),
    frequencyHz: float(0x4a6a),
    energyImportKwh: float(0x4a7c, 0.001),
    energyExportKwh: float(0x4a84, 0.001),
  },
}

const carloGavazzi: Preset = {
  fn: 4,
  map: {
    voltageL1V: lowFirst(0x00, 0.1),
    voltageL2V: lowFirst(0x02, 0.1),
    voltageL3V: lowFirst(0x04, 0.1),
    currentL1A: lowFirst(0x0c, 0.001),
    currentL2A: lowFirst(0x0e, 0.001),
    currentL3A: lowFirst(0x10, 0.001),
    powerL1W: lowFirst(0x12, 0.1),
    powerL2W: lowFirst(0x14, 0.1),
    powerL3W: lowFirst(0x16, 0.1),
    powerW: lowFirst(0x28, 0.1),
    powerFactor: { at: 0x35, type: 'i16', scale: 0.001 },
    frequencyHz: { at: 0x37, type: 'u16', scale: 0.1 },
    energyImportKwh: lowFirst(0x42, 0.1),
    energyExportKwh: lowFirst(0x5c, 0.1),
  },
}

const chint: Preset = {
  fn: 3,
  map: {
    voltageL1V: float(0x2006, 0.1),
    currentL1A: float(0x200c, 0.001),
    powerW: float(0x2012, 0.1),
    frequencyHz: float(0x2044, 0.01),
    energyImportKwh: float(0x101e),
    energyExportKwh: float(0x1028),
  },
}

export const presets: Readonly<Record<string, readonly Preset[]>> = {
  SDM630: [eastron],
  SDM72: [eastron],
  UMG: [janitza],
  EM24: [carloGavazzi],
  DTSU666: [chint],
}
