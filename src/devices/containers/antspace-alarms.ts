import { type Alarm, alarm, common } from './alarm.js'

const pump = (code: string, message: string): Alarm =>
  alarm(code, 'high', message, 'Check its breaker, its motor and whether it has coolant.')
const fan = (code: string, message: string): Alarm =>
  alarm(code, 'high', message, 'Check its breaker and motor.', { component: 'fan' })
const sensor = (code: string, message: string): Alarm =>
  alarm(code, 'high', message, 'Check its cable; replace it.', { component: 'sensor' })

const checkHeat = 'Check the outdoor cooler, its fans and the flow; take load off if it goes on rising.'
const checkLoop = 'Look for leaks and closed valves, and refill the loop.'

/** Faults by the name under which they stand in `coolerState` (protocols/containers.md §B). */
export const hydroFaults: Readonly<Record<string, Alarm>> = {
  power_fault: common.powerFault,
  liquid_level_low: alarm('liquid-level-low', 'medium', 'The coolant level is low.', checkLoop),
  circulating_pump_fault: {
    ...pump('circulating-pump', 'The circulating pump fails.'),
    severity: 'critical',
  },
  fan1_fault: fan('fan-1', 'Fan 1 fails.'),
  fan2_fault: fan('fan-2', 'Fan 2 fails.'),
  fluid_infusion_pump_fault: pump('make-up-pump', 'The make-up pump fails.'),
  spray_pump_fault: pump('spray-pump', 'The spray pump fails.'),
  cooling_tower_fan1_fault: fan('tower-fan-1', 'Fan 1 of the cooling tower fails.'),
  cooling_tower_fan2_fault: fan('tower-fan-2', 'Fan 2 of the cooling tower fails.'),
  cooling_tower_fan3_fault: fan('tower-fan-3', 'Fan 3 of the cooling tower fails.'),
  leakage_fault: common.leak,
  supply_liquid_temp_high: alarm('supply-temp-high', 'high', 'The coolant to the miners is warm.', checkHeat),
  supply_liquid_temp_too_high: alarm(
    'supply-temp-too-high',
    'critical',
    'The coolant to the miners is too warm.',
    checkHeat,
  ),
  supply_liquid_pressure_high: alarm(
    'supply-pressure-high',
    'critical',
    'The pressure to the miners is high.',
    'Look whether all valves are open and the filter is clean.',
  ),
  return_liquid_pressure_low: alarm(
    'return-pressure-low',
    'critical',
    'The pressure from the miners is low.',
    checkLoop,
  ),
  supply_liquid_flow_low: alarm('flow-low', 'high', 'Too little coolant flows.', checkLoop),
  freezing_alarm: alarm(
    'freezing',
    'high',
    'The coolant may freeze.',
    'Keep it moving and warm; check the antifreeze.',
  ),
  cooling_tower_liquid_level_low: alarm(
    'tower-level-low',
    'high',
    'The cooling tower has too little water.',
    'Check its supply.',
  ),
}

/** `primary_circulating_pump` is a pump at work, no fault. */
export const immersionFaults: Readonly<Record<string, Alarm>> = {
  leakage_fault: common.leak,
  supply_liquid_temp_high: hydroFaults.supply_liquid_temp_high!,
  supply_liquid_temp_too_high: hydroFaults.supply_liquid_temp_too_high!,
  pump_alarm: pump('pump', 'A pump has an alarm.'),
  dry_cooler_power_fre_fault: fan('dry-cooler-power', 'The dry cooler on mains has a fault.'),
  dry_cooler_fre_conv: fan('dry-cooler-inverter', 'The inverter of the dry cooler has a fault.'),
  second_pump1_fault: pump('secondary-pump-1', 'Secondary pump 1 fails.'),
  second_pump2_fault: pump('secondary-pump-2', 'Secondary pump 2 fails.'),
  fan_fault: fan('container-fan', 'The container fan fails.'),
  phasefailure: {
    ...common.powerFault,
    code: 'phase-failure',
    severity: 'high',
    message: 'A phase of the supply is missing.',
  },
  supply_liquid_temp_fault: sensor('sensor-supply-temperature', 'The sensor of the supply temperature fails.'),
  return_liquid_temp_fault: sensor('sensor-return-temperature', 'The sensor of the return temperature fails.'),
  power_distribution_Fault: { ...common.powerFault, severity: 'high' },
  lever_sensor_fault: sensor('sensor-level', 'The level sensor fails.'),
  smoke_sensor_fault: common.smoke,
  return_liquid_temp_high: alarm('return-temp-high', 'high', 'The coolant from the miners is warm.', checkHeat),
  return_liquid_temp_too_high: alarm(
    'return-temp-too-high',
    'critical',
    'The coolant from the miners is too warm.',
    checkHeat,
  ),
  power_distribution_temp_high: alarm(
    'distribution-temp-high',
    'high',
    'The power distribution is hot.',
    'Check its fans and the load; measure its terminals.',
    { component: 'psu' },
  ),
  lever_high: alarm('level-high', 'medium', 'The coolant level is high.', 'Let coolant off.'),
  lever_low: alarm('level-low', 'medium', 'The coolant level is low.', checkLoop),
}

/** Colder coolant lets water condense at the miners. */
export const coldSupply: Alarm = alarm(
  'supply-temp-low',
  'high',
  'The coolant to the miners is too cold.',
  'Raise its set point or take cooling off, before water condenses.',
)
