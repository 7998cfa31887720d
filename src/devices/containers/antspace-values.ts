import type { Cooling, DeviceError } from '#model'
import { SdkError } from '#model'
import { bool, type Fields, num } from '../kit/json.js'
import { type Alarm, alarmError } from './alarm.js'
import { coldSupply, hydroFaults, immersionFaults } from './antspace-alarms.js'

/** What depends on the site's build of the controller; raw numbers become ours with it. */
export interface Scales {
  readonly powerScaleW?: number
  readonly pressureScaleKpa?: number
}

/** The state of a cooler, whichever it is, in our units. */
export interface CoolerState {
  readonly running: boolean | undefined
  readonly supplyC: number | undefined
  readonly returnC: number | undefined
  readonly secondarySupplyC?: number | undefined
  readonly secondaryReturnC?: number | undefined
  readonly setpointC: number | undefined
  readonly ambientC: number | undefined
  readonly outdoorC?: number | undefined
  readonly humidityPct: number | undefined
  readonly supplyRaw?: number | undefined
  readonly returnRaw?: number | undefined
  readonly flowLpm?: number | undefined
  readonly powerRaw?: number | undefined
  readonly powerW?: number | undefined
  readonly voltages?: readonly (number | undefined)[]
  readonly currents?: readonly (number | undefined)[]
  readonly cooling: Cooling
  readonly errors: DeviceError[]
}

/** m³/h to L/min. */
const litersPerMinute = 1000 / 60
const coldBelowC = 20

/** Hydro (HK3): its two distribution boxes and its pressures are in units of the site's build. */
export function parseHydro(reply: unknown): CoolerState {
  const s = reply as Fields
  if (bool(s.circulating_pump) === undefined) throw new SdkError('DEVICE_BAD_REPLY', 'no state of a hydro cooler')
  const flow = num(s.supply_liquid_flow)
  const boxes = [num(s.distribution_box1_power), num(s.distribution_box2_power)].filter((box) => box !== undefined)
  return {
    running: bool(s.circulating_pump),
    supplyC: num(s.supply_liquid_temp),
    returnC: num(s.return_liquid_temp),
    secondarySupplyC: num(s.colding_tower_inlet_temp),
    setpointC: num(s.supply_liquid_set_temp),
    ambientC: num(s.antbox_internal_temp),
    humidityPct: num(s.antbox_internal_humidity),
    supplyRaw: num(s.supply_liquid_pressure),
    returnRaw: num(s.return_liquid_pressure),
    flowLpm: flow === undefined ? undefined : Number((flow * litersPerMinute).toFixed(3)),
    powerRaw: boxes.length === 0 ? undefined : boxes.reduce((sum, box) => sum + box, 0),
    cooling: {
      on: bool(s.circulating_pump) ?? null,
      mode: bool(s.pid_mode) === undefined ? null : bool(s.pid_mode) ? 'pid' : 'fixed',
      pumps: [
        part('1', 'circulation', s.circulating_pump, s.circulating_pump_fault),
        part('2', 'spray', s.spray_pump, s.spray_pump_fault),
        part('3', 'make-up', s.fluid_infusion_pump, s.fluid_infusion_pump_fault),
      ],
      fans: [1, 2].map((n) => fanOf(String(n), s[`fan${n}`], s[`fan${n}_fault`])),
      dryCoolers: [
        {
          id: 'tower',
          fans: [1, 2, 3].map((n) => fanOf(String(n), s[`cooling_tower_fan${n}`], s[`cooling_tower_fan${n}_fault`])),
        },
      ],
    },
    errors: errorsOf(hydroFaults, s),
  }
}

/** Immersion: volts in tenths, the box in 100 kW, the distribution in kW. */
export function parseImmersion(reply: unknown): CoolerState {
  const s = reply as Fields
  if (bool(s.second_pump1) === undefined && bool(s.second_pump2) === undefined)
    throw new SdkError('DEVICE_BAD_REPLY', 'no state of an immersion cooler')
  const box = num(s.distribution_box_power)
  const distribution = num(s.power_distribution)
  const running = bool(s.second_pump1) === true || bool(s.second_pump2) === true
  return {
    running,
    supplyC: num(s.primary_supply_temp),
    returnC: num(s.primary_return_temp),
    secondarySupplyC: num(s.second_supply_temp1),
    secondaryReturnC: num(s.second_return_temp1),
    setpointC: num(s.supply_liquid_set_temp),
    ambientC: num(s.container_temp),
    outdoorC: num(s.out_temp),
    humidityPct: num(s.container_humidity),
    powerW: box !== undefined ? box * 100_000 : distribution === undefined ? undefined : distribution * 1000,
    voltages: ['a', 'b', 'c'].map((phase) => tenth(num(s[`vol_${phase}_distribution`]))),
    currents: ['a', 'b', 'c'].map((phase) => num(s[`cur_${phase}_distribution`])),
    cooling: {
      on: running,
      mode: bool(s.pid_mode) === undefined ? null : bool(s.pid_mode) ? 'pid' : 'fixed',
      pumps: [
        part('1', 'secondary', s.second_pump1, s.second_pump1_fault),
        part('2', 'secondary', s.second_pump2, s.second_pump2_fault),
        part('3', 'circulation', s.primary_circulating_pump, s.pump_alarm),
      ],
      fans: [fanOf('1', s.container_fan, s.fan_fault)],
      dryCoolers: [
        { id: 'inverter', running: bool(s.dry_cooler_freq_run) ?? null, fault: bool(s.dry_cooler_fre_conv) ?? null },
        {
          id: 'mains',
          running: bool(s.dry_cooler_power_freq_run) ?? null,
          fault: bool(s.dry_cooler_power_fre_fault) ?? null,
        },
      ],
      tanks: ['a', 'b', 'c', 'd'].map((id) => ({ id, levelPct: num(s[`tank_${id}_level`]) ?? null })),
    },
    errors: errorsOf(immersionFaults, s),
  }
}

function errorsOf(faults: Readonly<Record<string, Alarm>>, state: Fields): DeviceError[] {
  const errors = Object.entries(faults).flatMap(([name, alarm]) =>
    bool(state[name]) === true ? [alarmError(alarm, { vendorCode: name })] : [],
  )
  const supply = num(state.supply_liquid_temp ?? state.primary_supply_temp)
  const isRunning = ['circulating_pump', 'second_pump1', 'second_pump2'].some((name) => bool(state[name]) === true)
  return isRunning && supply !== undefined && supply < coldBelowC ? [...errors, alarmError(coldSupply)] : errors
}

function part<T extends string>(id: string, type: T, running: unknown, fault: unknown) {
  return { id, type, running: bool(running) ?? null, fault: bool(fault) ?? null }
}

function fanOf(id: string, running: unknown, fault: unknown) {
  return { id, running: bool(running) ?? null, fault: bool(fault) ?? null }
}

function tenth(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value / 10
}

export interface MinerInfo {
  readonly hashrateThs: number | undefined
  readonly boardMaxC: number | undefined
  readonly chipMaxC: number | undefined
}

/** What the container knows of its miners, all together. */
export function parseMinerInfo(reply: unknown): MinerInfo {
  const info = reply as Fields
  return { hashrateThs: num(info.total_hashrate), boardMaxC: num(info.pcb_max_temp), chipMaxC: num(info.chip_max_temp) }
}
