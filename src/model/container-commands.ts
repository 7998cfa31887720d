import type { CommandFacts } from './command-facts.js'
import { pumpTypes, tacticsTriggers } from './plant.js'
import { Type } from './schema.js'

const strict = { additionalProperties: false } as const
const on = Type.Object({ on: Type.Boolean() }, strict)
const celsius = Type.Optional(Type.Number({ minimum: -20, maximum: 100 }))
const part = Type.String({ minLength: 1, maxLength: 16 })

const tactic = Type.Object(
  {
    by: Type.Enum(tacticsTriggers),
    electricityPrice: Type.Optional(Type.Number({ minimum: 0, maximum: 1e6 })),
    coinPrice: Type.Optional(Type.Number({ minimum: 0, maximum: 1e9 })),
  },
  strict,
)

/** Commands of containers: all miners in one hang on them, so what stops cooling or power is dangerous. */
export const containerCommands = {
  switchContainer: { title: 'Start or stop the container', risk: 'dangerous', input: on },
  switchCooling: { title: 'Switch the cooling', risk: 'dangerous', input: on },
  switchPump: {
    title: 'Switch a pump',
    risk: 'dangerous',
    input: Type.Object({ type: Type.Enum(pumpTypes), id: Type.Optional(part), on: Type.Boolean() }, strict),
  },
  switchFan: {
    title: 'Switch fans of the cooling',
    risk: 'disruptive',
    /** Without `fan` all of the cooler, without `cooler` all of all. */
    input: Type.Object({ cooler: Type.Optional(part), fan: Type.Optional(part), on: Type.Boolean() }, strict),
  },
  switchTank: {
    title: 'Switch a tank',
    risk: 'dangerous',
    input: Type.Object({ tank: part, on: Type.Boolean() }, strict),
  },
  switchSocket: {
    title: 'Switch sockets',
    risk: 'disruptive',
    /** Without `socket` all of the PDU, without `pdu` all of the container. */
    input: Type.Object(
      {
        sockets: Type.Array(
          Type.Object({ pdu: Type.Optional(part), socket: Type.Optional(part), on: Type.Boolean() }, strict),
          { minItems: 1, maxItems: 256 },
        ),
      },
      strict,
    ),
  },
  setLiquidTemp: {
    title: 'Set the coolant temperature',
    risk: 'disruptive',
    /** A fixed temperature, or `auto`: the controller finds it. */
    input: Type.Union([
      Type.Object({ tempC: Type.Number({ minimum: 0, maximum: 80 }) }, strict),
      Type.Object({ auto: Type.Literal(true) }, strict),
    ]),
  },
  setCoolingLimits: {
    title: 'Set limits and set points of the cooling',
    risk: 'disruptive',
    input: Type.Object(
      {
        coolOilSetC: celsius,
        coolOilAlarmC: celsius,
        hotOilAlarmC: celsius,
        coolWaterAlarmC: celsius,
        hotWaterAlarmC: celsius,
        exhaustFanStartC: celsius,
        exhaustFan: Type.Optional(Type.Boolean()),
        pressureAlarmKpa: Type.Optional(Type.Number({ minimum: 0, maximum: 2000 })),
        fanSpeedPct: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
        fanStartC: celsius,
        fanStopC: celsius,
      },
      { ...strict, minProperties: 1 },
    ),
  },
  setTactics: {
    title: 'Set when the container starts and stops by price',
    risk: 'disruptive',
    input: Type.Object({ run: tactic, stop: tactic }, strict),
  },
  resetAlarms: { title: 'Reset the alarms', risk: 'safe', input: Type.Object({}, strict) },
} as const satisfies Record<string, CommandFacts>
