import { type Static, Type } from './schema.js'

/** The parts of containers, sensors and pool accounts (protocols/data-model.md §5). Units are in the names; null or absent: unknown. */
const optionalNumber = Type.Optional(Type.Union([Type.Number(), Type.Null()]))
const optionalBoolean = Type.Optional(Type.Union([Type.Boolean(), Type.Null()]))
const optionalString = Type.Optional(Type.Union([Type.String(), Type.Null()]))

export const SocketSchema = Type.Object({
  /** As the container's maker counts them: `1`, `a1` ... */
  id: Type.String(),
  enabled: optionalBoolean,
  powerW: optionalNumber,
  currentA: optionalNumber,
})
export type Socket = Static<typeof SocketSchema>

export const PduSchema = Type.Object({
  /** As the container's maker counts them: `1-3`, `7` ... */
  id: Type.String(),
  online: optionalBoolean,
  powerW: optionalNumber,
  sockets: Type.Array(SocketSchema),
})
export type Pdu = Static<typeof PduSchema>

export const pumpTypes = ['oil', 'water', 'circulation', 'spray', 'make-up', 'secondary'] as const
export type PumpType = (typeof pumpTypes)[number]

export const PumpSchema = Type.Object({
  id: Type.String(),
  type: Type.Enum(pumpTypes),
  running: optionalBoolean,
  fault: optionalBoolean,
  speedPct: optionalNumber,
})
export type Pump = Static<typeof PumpSchema>

export const CoolingFanSchema = Type.Object({
  id: Type.String(),
  running: optionalBoolean,
  fault: optionalBoolean,
  speedPct: optionalNumber,
})
export type CoolingFan = Static<typeof CoolingFanSchema>

export const DryCoolerSchema = Type.Object({
  id: Type.String(),
  running: optionalBoolean,
  fault: optionalBoolean,
  fans: Type.Optional(Type.Array(CoolingFanSchema)),
})
export type DryCooler = Static<typeof DryCoolerSchema>

export const TankSchema = Type.Object({
  id: Type.String(),
  enabled: optionalBoolean,
  /** Of the coolant that leaves the miners, and that goes to them. */
  hotC: optionalNumber,
  coldC: optionalNumber,
  waterHotC: optionalNumber,
  waterColdC: optionalNumber,
  levelPct: optionalNumber,
  pressureKpa: optionalNumber,
})
export type Tank = Static<typeof TankSchema>

/** Set points and limits by the name of the command parameter that sets them (`setCoolingLimits`). */
export const CoolingLimitsSchema = Type.Object({
  coolOilSetC: optionalNumber,
  coolOilAlarmC: optionalNumber,
  hotOilAlarmC: optionalNumber,
  coolWaterAlarmC: optionalNumber,
  hotWaterAlarmC: optionalNumber,
  exhaustFanStartC: optionalNumber,
  pressureAlarmKpa: optionalNumber,
  fanSpeedPct: optionalNumber,
  fanStartC: optionalNumber,
  fanStopC: optionalNumber,
})
export type CoolingLimits = Static<typeof CoolingLimitsSchema>

export const CoolingSchema = Type.Object({
  /** Whether the cooling works. */
  on: optionalBoolean,
  mode: Type.Optional(Type.Union([Type.Enum(['auto', 'manual', 'fixed', 'pid']), Type.Null()])),
  pumps: Type.Optional(Type.Array(PumpSchema)),
  fans: Type.Optional(Type.Array(CoolingFanSchema)),
  dryCoolers: Type.Optional(Type.Array(DryCoolerSchema)),
  tanks: Type.Optional(Type.Array(TankSchema)),
  exhaustFan: optionalBoolean,
  limits: Type.Optional(CoolingLimitsSchema),
})
export type Cooling = Static<typeof CoolingSchema>

export const UpsSchema = Type.Object({
  batteryPct: optionalNumber,
  inputV: optionalNumber,
  outputV: optionalNumber,
  inputHz: optionalNumber,
  outputHz: optionalNumber,
  tempC: optionalNumber,
})
export type Ups = Static<typeof UpsSchema>

export const tacticsTriggers = ['off', 'electricity', 'coin'] as const

/** When a container starts or stops by itself: by the price of electricity or of the coin. */
export const TacticSchema = Type.Object({
  by: Type.Enum(tacticsTriggers),
  electricityPrice: optionalNumber,
  coinPrice: optionalNumber,
})
export const TacticsSchema = Type.Object({ run: TacticSchema, stop: TacticSchema })
export type Tactics = Static<typeof TacticsSchema>

export const quantities = ['temperature', 'humidity', 'pressure', 'flow', 'level', 'digital'] as const
export type Quantity = (typeof quantities)[number]

export const ReadingSchema = Type.Object({
  /** The channel. */
  id: Type.String(),
  /** What the operator calls the place it measures. */
  name: optionalString,
  quantity: Type.Enum(quantities),
  value: Type.Union([Type.Number(), Type.Null()]),
  /** °C, %RH, kPa, L/min, % or 1. */
  unit: Type.String(),
  /** Why there is no value. */
  fault: optionalString,
})
export type Reading = Static<typeof ReadingSchema>

export const PoolWorkerSchema = Type.Object({
  name: Type.String(),
  online: optionalBoolean,
  hashrateThs: optionalNumber,
  hashrate1hThs: optionalNumber,
  hashrate24hThs: optionalNumber,
  staleHashrate24hThs: optionalNumber,
  /** ms since the epoch. */
  lastShareAt: optionalNumber,
})
export type PoolWorker = Static<typeof PoolWorkerSchema>

export const PaymentSchema = Type.Object({
  /** ms since the epoch. */
  at: Type.Number(),
  type: Type.Enum(['revenue', 'payout', 'other']),
  amountBtc: Type.Number(),
  /** Of the transaction or of the pool's own record. */
  id: optionalString,
})
export type Payment = Static<typeof PaymentSchema>

/** What a record has beside what miners have; each kind has its own. */
export const plantParts = {
  pdus: Type.Optional(Type.Array(PduSchema)),
  cooling: Type.Optional(Type.Union([CoolingSchema, Type.Null()])),
  ups: Type.Optional(Type.Union([UpsSchema, Type.Null()])),
  tactics: Type.Optional(Type.Union([TacticsSchema, Type.Null()])),
  readings: Type.Optional(Type.Array(ReadingSchema)),
  workers: Type.Optional(Type.Array(PoolWorkerSchema)),
  payments: Type.Optional(Type.Array(PaymentSchema)),
} as const
export type PlantPart = keyof typeof plantParts
export const plantPartNames = Object.keys(plantParts) as PlantPart[]
