import type { Cooling, DeviceError, Pdu } from '#model'
import { SdkError } from '#model'
import type { ModbusRequest } from '../kit/modbus.js'
import { alarmError } from './alarm.js'
import { alarmBits, generalFaults, pduAlarms } from './microbt-alarms.js'

/** Units behind the container's gateway (protocols/containers.md §C). Numbers of registers are the maker's; on the wire they are one less. */
export const units = { cdu: 1, climate: 2, environment: 3, firstMeter: 4, firstPdu: 9 } as const
export const meterCount = 4
export const pduCount = 12
export const socketCount = 20

export type Variant = 'wonderint' | 'kehua'

/** A block of registers, asked for by the maker's number; reads signed 16-bit values by that number. */
type Block = (number: number) => number

async function block(line: Parameters<ModbusRequest>[0], unit: number, first: number, count: number): Promise<Block> {
  const bytes = await line.read(first - 1, count, { unit })
  return (number) => bytes.readInt16BE((number - first) * 2)
}

const hundredth = (value: number) => value / 100
/** Registers of counters and powers have no sign. */
const unsigned = (value: number) => value & 0xffff

export interface Climate {
  readonly tempC: number
  readonly humidityPct: number
}

export const readClimate =
  (variant: Variant): ModbusRequest<Climate> =>
  async (line) => {
    const at = await block(line, units.climate, 2, 3)
    const parts = variant === 'kehua' ? 100 : 10
    return { tempC: at(3) / parts, humidityPct: at(4) / parts }
  }

/** Raw humidity tells the variants apart: tenths of a percent never come to more than 1000. */
export const readRawHumidity: ModbusRequest<number> = async (line) => (await block(line, units.climate, 2, 3))(4)

export interface Environment {
  readonly smoke: boolean
  readonly water: boolean
}

export const readEnvironment: ModbusRequest<Environment> = async (line) => {
  const at = await block(line, units.environment, 2, 15)
  return { smoke: at(3) === 1, water: at(8) === 1 }
}

export interface Meters {
  readonly powerW: number
  readonly energyKwh: number
  readonly apparentVa: number
  readonly powerFactor: number
  readonly frequencyHz: number
  readonly voltages: readonly [number, number, number]
  readonly currents: readonly [number, number, number]
}

/** Sums and means of the meters that answer. */
export const readMeters: ModbusRequest<Meters> = async (line) => {
  const meters: { at: Block; frequency: number }[] = []
  for (let meter = 0; meter < meterCount; meter++) {
    const unit = units.firstMeter + meter
    const at = await unlessGone(() => block(line, unit, 3, 69))
    if (at) meters.push({ at, frequency: (await block(line, unit, 82, 3))(82) })
  }
  if (meters.length === 0) throw new SdkError('DEVICE_UNREACHABLE', 'none of its power meters answers')
  const sum = (number: number) => meters.reduce((total, { at }) => total + hundredth(unsigned(at(number))), 0)
  const mean = (number: number) => tidy(sum(number) / meters.length)
  return {
    powerW: tidy(sum(57) * 1000),
    energyKwh: tidy(sum(3)),
    apparentVa: tidy(sum(65) * 1000),
    powerFactor: tidy(meters.reduce((total, { at }) => total + hundredth(at(69)), 0) / meters.length),
    frequencyHz: tidy(meters.reduce((total, { frequency }) => total + hundredth(frequency), 0) / meters.length),
    voltages: [mean(50), mean(51), mean(52)],
    currents: [tidy(sum(53)), tidy(sum(54)), tidy(sum(55))],
  }
}

/** A unit that is not there is a part that the container does not have or that is off; anything else is a failure to read. */
async function unlessGone<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof SdkError && error.code === 'DEVICE_UNREACHABLE' && error.details !== undefined)
      return undefined
    throw error
  }
}

function tidy(value: number): number {
  return Number(value.toPrecision(10))
}

export interface Pdus {
  readonly pdus: Pdu[]
  readonly errors: DeviceError[]
}

export const readPdus: ModbusRequest<Pdus> = async (line) => {
  const pdus: Pdu[] = []
  const errors: DeviceError[] = []
  for (let number = 1; number <= pduCount; number++) {
    const unit = units.firstPdu + number - 1
    const switches = await unlessGone(() => block(line, unit, 12, 55))
    if (!switches) {
      pdus.push({ id: String(number), online: false, sockets: [] })
      continue
    }
    const power = await block(line, unit, 69, 36)
    const alarms = await block(line, unit, 106, 87)
    pdus.push({
      id: String(number),
      online: true,
      powerW: tidy(hundredth(unsigned(power(81))) * 1000),
      sockets: Array.from({ length: socketCount }, (_, index) => ({
        id: String(index + 1),
        enabled: switches(46 + index) === 1,
      })),
    })
    for (const { from, to, alarm } of pduAlarms) {
      for (let register = from; register <= to; register++)
        if (alarms(register) === 1)
          errors.push(alarmError(alarm, { vendorCode: `${number}/${register}`, part: number }))
    }
  }
  return { pdus, errors }
}

export interface Cdu {
  readonly protocol: number
  readonly running: boolean
  readonly supplyC: number
  readonly returnC: number
  readonly supplyKpa: number
  readonly returnKpa: number
  readonly dewPointC: number
  readonly pumpSpeedPct: number
  readonly cooling: Cooling
  readonly errors: DeviceError[]
}

const runningPump = 100
const brokenPump = 200

/** Coolant distribution: inlet and outlet are those of the miners. bar becomes kPa. */
export const readCdu =
  (variant: Variant): ModbusRequest<Cdu> =>
  async (line) => {
    const about = await block(line, units.cdu, 1, 4)
    const faults = await block(line, units.cdu, 90, 11)
    const flow = await block(line, units.cdu, 201, 12)
    const alarms = await line.read(290, 10, { unit: units.cdu })
    const set = await block(line, units.cdu, 601, 23)
    const isKehua = variant === 'kehua'
    const running = isKehua ? flow(208) === runningPump : set(606) === 1
    const broken = isKehua && flow(208) === brokenPump
    return {
      protocol: about(1) / 10,
      running,
      supplyC: hundredth(flow(201)),
      returnC: hundredth(isKehua ? flow(202) : flow(211)),
      supplyKpa: flow(203),
      returnKpa: flow(204),
      dewPointC: hundredth(faults(95)),
      pumpSpeedPct: hundredth(flow(209)),
      cooling: {
        on: set(601) === 1,
        mode: set(602) === 1 ? 'auto' : 'manual',
        pumps: [
          { id: '1', type: 'circulation', running, fault: broken || isSet(alarms, 3), speedPct: hundredth(flow(209)) },
          { id: '2', type: 'make-up', running: set(608) === 1, fault: faults(98) === 1 },
        ],
        fans: [{ id: '1', running: set(607) === 1, fault: isSet(alarms, 20) }],
        limits: { fanSpeedPct: hundredth(set(613)), fanStartC: hundredth(set(614)), fanStopC: hundredth(set(615)) },
      },
      errors: [
        ...alarmBits.flatMap((alarm, bit) =>
          isSet(alarms, bit) ? [alarmError(alarm, { vendorCode: `291.${bit}` })] : [],
        ),
        ...generalFaults.flatMap(({ register, alarm }) =>
          faults(register) === 1 ? [alarmError(alarm, { vendorCode: String(register) })] : [],
        ),
      ],
    }
  }

/** Bits are counted from the highest of each byte. */
function isSet(bytes: Buffer, bit: number): boolean {
  return (bytes[bit >> 3]! & (0x80 >> (bit & 7))) !== 0
}
