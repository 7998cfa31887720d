import { type Alarm, alarm, common } from './alarm.js'

const sensor = (place: string) =>
  alarm(
    `sensor-${place.replaceAll(' ', '-')}`,
    'high',
    `The sensor of ${place} fails.`,
    'Check its cable; replace it.',
    {
      component: 'sensor',
    },
  )

const checkLoop = 'Look for leaks and closed valves, and refill the loop.'
const checkFilter = 'Clean or change the filter, and look whether all valves are open.'
const checkHeat = 'Check the outdoor cooler, its fans and the flow; take load off if it goes on rising.'

/** Of register 291 on, in the order of its bits (protocols/containers.md §C.2). */
export const alarmBits: readonly Alarm[] = [
  alarm('pump-inlet-pressure-low', 'critical', 'The pressure before the pump is low.', checkLoop),
  alarm('outlet-pressure-low', 'critical', 'The outlet pressure is low.', checkLoop),
  alarm('outlet-pressure-high', 'critical', 'The outlet pressure is high.', checkFilter),
  alarm(
    'circulating-pump',
    'critical',
    'The circulating pump fails.',
    'Stop the miners, then check its breaker and motor.',
  ),
  alarm(
    'pump-inverter',
    'critical',
    'The inverter of the pump fails.',
    'Read its code at its display; reset or replace it.',
  ),
  alarm('filter-pressure-high', 'high', 'Too much pressure is lost in the filter.', checkFilter),
  alarm('pressure-difference-small', 'high', 'Inlet and outlet pressure differ too little.', checkLoop),
  alarm('pressure-difference-large', 'high', 'Inlet and outlet pressure differ too much.', checkFilter),
  alarm('inlet-temp-high', 'critical', 'The coolant to the miners is too warm.', checkHeat),
  alarm('outlet-temp-high', 'critical', 'The coolant from the miners is too warm.', checkHeat),
  alarm(
    'dew-point',
    'high',
    'The coolant is close to the dew point: water may condense.',
    'Raise the coolant temperature or dry the air.',
  ),
  sensor('pump inlet pressure'),
  sensor('pump outlet pressure'),
  sensor('inlet temperature'),
  sensor('outlet temperature'),
  sensor('inlet pressure'),
  sensor('outlet pressure'),
  sensor('filter front pressure'),
  sensor('filter rear pressure'),
  alarm('bypass-valve', 'high', 'The bypass valve fails.', 'Check its drive and whether it moves by hand.'),
  alarm('cooling-fan', 'high', 'A fan of the cooling fails.', 'Check its breaker and motor.', { component: 'fan' }),
  sensor('chilled water temperature 1'),
  sensor('chilled water temperature 2'),
  sensor('chilled water pressure'),
  alarm(
    'pump-inlet-pressure-high',
    'high',
    'The pressure before the pump is high.',
    'Let coolant off; check the expansion vessel.',
  ),
]

export const generalFaults: readonly { readonly register: number; readonly alarm: Alarm }[] = [
  { register: 96, alarm: sensor('outdoor temperature') },
  { register: 97, alarm: sensor('indoor climate') },
  {
    register: 98,
    alarm: alarm('make-up-pump', 'high', 'The make-up pump fails.', 'Check its breaker and the make-up tank.'),
  },
  { register: 99, alarm: { ...common.powerFault, severity: 'high' } },
  { register: 100, alarm: common.leak },
]

export const environmentAlarms = { smoke: common.smoke, water: common.leak } as const

/** Ranges of registers of each PDU. */
export const pduAlarms: readonly { readonly from: number; readonly to: number; readonly alarm: Alarm }[] = [
  {
    from: 158,
    to: 165,
    alarm: alarm('door-open', 'low', 'A door at PDU # is open.', 'Close it.', { component: 'env' }),
  },
  {
    from: 168,
    to: 173,
    alarm: alarm('intrusion', 'medium', 'Something moves at PDU #.', 'Find out who is in the container.', {
      component: 'security',
    }),
  },
  { from: 174, to: 181, alarm: { ...common.leak, message: 'There is water at PDU #.' } },
  { from: 182, to: 189, alarm: { ...common.smoke, message: 'The smoke detector at PDU # has gone off.' } },
  {
    from: 190,
    to: 191,
    alarm: alarm('air-flow', 'high', 'The air flow at PDU # is out of range.', 'Check fans, filters and doors.', {
      component: 'fan',
    }),
  },
]
