import { type Clock, systemClock } from '#model'
import { Energy } from './loop.js'
import { type ModbusUnit, unitOfMemory, wordsOf } from './modbus.js'

type Written = readonly [at: number, type: Parameters<typeof wordsOf>[0], raw: number]

/** A unit whose registers are made anew for each question. */
function liveUnit(registers: () => readonly Written[], fn = 3): ModbusUnit {
  return {
    read(asked, address, count) {
      const memory = new Map<number, number>()
      for (const [at, type, raw] of registers())
        wordsOf(type, raw).forEach((word, index) => {
          memory.set(at + index, word)
        })
      return unitOfMemory(memory, fn).read(asked, address, count)
    },
  }
}

const volts = 231
const root3 = Math.sqrt(3)
const factor = 0.98

/** An ABB B23 on three phases that carry `powerW`; the load wanders a little and its counters grow. */
export function abbB23(powerW: () => number, clock: Clock = systemClock): ModbusUnit {
  const energy = new Energy(clock, 123_456, powerW)
  return liveUnit(() => {
    const seconds = clock.now() / 1000
    const shares = [0, 1, 2].map((phase) => (1 + 0.02 * Math.sin(seconds / 40 + phase * 2)) / 3)
    const total = powerW()
    const power = shares.map((share) => total * share)
    const apparent = power.map((each) => each / factor)
    const reactive = power.map((each) => each * Math.tan(Math.acos(factor)))
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
    const all = (first: number, values: readonly number[]): Written[] =>
      [sum(values), ...values].map((value, index) => [first + index * 2, 'i32', value * 100] as const)
    return [
      ...[0, 1, 2].map((phase) => [0x5b00 + phase * 2, 'u32', (volts + phase) * 10] as const),
      ...[0, 1, 2].map((phase) => [0x5b06 + phase * 2, 'u32', (volts + 1) * root3 * 10] as const),
      ...apparent.map((value, phase) => [0x5b0c + phase * 2, 'u32', (value / (volts + phase)) * 100] as const),
      [0x5b12, 'u32', 12] as const,
      ...all(0x5b14, power),
      ...all(0x5b1c, reactive),
      ...all(0x5b24, apparent),
      [0x5b2c, 'u16', 5000 + Math.round(3 * Math.sin(seconds / 7))] as const,
      ...[0, 1, 2, 3].map((place) => [0x5b3a + place, 'i16', factor * 1000] as const),
      [0x5000, 'u64', energy.kwh * 100] as const,
      [0x5004, 'u64', 0] as const,
    ]
  })
}

const fault = 8500

/** A Seneca with four channels; a channel without a value has a broken sensor. */
export function senecaZ4rtd2(channels: () => readonly (number | undefined)[]): ModbusUnit {
  return liveUnit(() =>
    channels().map((value, channel) => [2 + channel, 'i16', value === undefined ? fault : value * 10] as const),
  )
}

/** A transmitter of temperature and humidity: input registers 0 and 1, in tenths. */
export function climateTransmitter(climate: () => { tempC: number; humidityPct: number }): ModbusUnit {
  return liveUnit(() => {
    const { tempC, humidityPct } = climate()
    return [
      [0, 'i16', tempC * 10],
      [1, 'i16', humidityPct * 10],
    ]
  }, 4)
}
