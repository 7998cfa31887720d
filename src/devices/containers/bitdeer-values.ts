import { type Cooling, type CoolingLimits, type DeviceError, type Pdu, SdkError, type Tactics, type Ups } from '#model'
import { bool, type Fields, fields, num, rows, str } from '../kit/json.js'
import { type Alarm, alarmError } from './alarm.js'

/** Topics of a D40 (protocols/containers.md §A.1): every number is a text. */
export const barToKpa = 100

export interface Running {
  readonly running: boolean
  readonly alarms: readonly string[]
  readonly pumps: NonNullable<Cooling['pumps']>
  readonly dryCoolers: NonNullable<Cooling['dryCoolers']>
}

const pumpNames = [
  ['OilPump1', 'oil', '1'],
  ['OilPump2', 'oil', '2'],
  ['WaterPump1', 'water', '1'],
  ['WaterPump2', 'water', '2'],
] as const

export function parseRunning(reply: unknown): Running {
  const info = needs(reply, 'RunningState')
  const devices = fields(info.DeviceInfo)
  const alarms = (Array.isArray(info.AlarmInfo) ? info.AlarmInfo : []).map(str).filter((text) => text !== undefined)
  return {
    running: bool(info.RunningState) === true,
    alarms,
    pumps: pumpNames.map(([name, type, id]) => ({
      id,
      type,
      running: bool(devices[name]) ?? null,
      fault: alarms.some((alarm) => alarm.startsWith(`${name} `)),
    })),
    dryCoolers: rows(devices.DryCooler).map((cooler, index) => ({
      id: str(cooler.CoolerIndex) ?? String(index),
      running: bool(cooler.MainContactor) ?? null,
      fans: (Array.isArray(cooler.FansStatus) ? cooler.FansStatus : []).map((fan: unknown, place) => ({
        id: String(place),
        running: bool(fan) ?? null,
      })),
    })),
  }
}

export interface Main {
  readonly numbers: Readonly<Record<string, number | undefined>>
  readonly tanks: readonly TankTemps[]
  readonly ups: Ups
}
interface TankTemps {
  readonly id: string
  readonly hotC: number | null
  readonly coldC: number | null
  readonly waterHotC: number | null
  readonly waterColdC: number | null
  readonly pressureKpa: number | null
}

const kilo = (value: number | undefined) => (value === undefined ? undefined : Math.round(value * 1e6) / 1e3)

export function parseMain(reply: unknown): Main {
  const data = needs(reply, 'PowerData')
  const power = fields(data.PowerData)
  const temps = fields(data.TemperatureData)
  const ups = fields(data.UPSData)
  const tank = (id: string): TankTemps => {
    const at = (name: string) => num(temps[`Tank${id}${name}`]) ?? null
    const bar = at('Pressure')
    return {
      id,
      hotC: at('OilH'),
      coldC: at('OilL'),
      waterHotC: at('WaterH'),
      waterColdC: at('WaterL'),
      pressureKpa: bar === null ? null : Math.round(bar * barToKpa * 1000) / 1000,
    }
  }
  return {
    numbers: {
      powerW: kilo(num(power.TotalPower)),
      powerL1W: kilo(num(power.PowerA)),
      powerL2W: kilo(num(power.PowerB)),
      powerL3W: kilo(num(power.PowerC)),
      voltageL1V: num(power.VoltageA),
      voltageL2V: num(power.VoltageB),
      voltageL3V: num(power.VoltageC),
      currentL1A: num(power.CurrentA),
      currentL2A: num(power.CurrentB),
      currentL3A: num(power.CurrentC),
      ambientTempC: num(temps.ContainerTemperature),
      humidityPct: num(temps.ContainerHumidity),
    },
    tanks: [tank('1'), tank('2')],
    ups: {
      batteryPct: num(ups.BatteryStatus) ?? null,
      inputV: num(ups.InputVoltage) ?? null,
      inputHz: num(ups.InputFrequency) ?? null,
      outputV: num(ups.OutputVoltage) ?? null,
      outputHz: num(ups.OutputFrequency) ?? null,
      tempC: num(ups.Temperature) ?? null,
    },
  }
}

/** Tank and PDU of the tank, in the order of their numbers on the wire. */
export const pduIds = ['1-1', '1-2', '1-3', '1-4', '2-1', '2-2', '2-3', '2-4'] as const

export const minerTypes = ['M56', 'M30', 'A1346', 'S19XP'] as const
export type MinerType = (typeof minerTypes)[number]

const lettered = (counts: readonly number[]) =>
  counts.flatMap((count, row) => Array.from({ length: count }, (_, place) => `${'abc'[row]}${place + 1}`))
/** How the sockets are called depends on the miners that the tank was built for; on the wire they are numbered. */
const socketNames: Readonly<Record<MinerType, readonly string[]>> = {
  M56: Array.from({ length: 14 }, (_, place) => String(place + 1)),
  M30: lettered([6, 5, 5]),
  A1346: lettered([5, 4, 4]),
  S19XP: lettered([5, 4, 4]),
}
const withoutFirst: ReadonlySet<MinerType> = new Set(['A1346', 'S19XP'])

/** The name of a socket by its place; undefined where there is none. */
export function socketName(pdu: number, place: number, type: MinerType | undefined): string | undefined {
  if (!type) return String(place + 1)
  if (place === 0 && withoutFirst.has(type) && pdu % 4 >= 2) return undefined
  return socketNames[type][place]
}

/** Still by the number of its socket on the wire: the names depend on settings. */
export function pdusOf(reply: unknown, type: MinerType | undefined): Pdu[] {
  const data = needs(reply, 'PDUData')
  const seen = new Map(rows(data.PDUData).map((pdu) => [num(pdu.PDUIndex), pdu]))
  return pduIds.map((id, index): Pdu => {
    const pdu = seen.get(index)
    if (!pdu) return { id, online: false, sockets: [] }
    const [states, powers, currents] = [pdu.SocketStatus, pdu.PowerData, pdu.CurrentData].map(listOf)
    const sockets = (states ?? []).flatMap((state, place) => {
      const name = socketName(index, place, type)
      if (name === undefined) return []
      const powerW = kilo(num(powers?.[place])) ?? null
      return [{ id: name, enabled: bool(state) ?? null, powerW, currentA: num(currents?.[place]) ?? null }]
    })
    const known = sockets.flatMap(({ powerW }) => (powerW === null ? [] : [powerW]))
    const powerW = known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0)
    return { id, online: pdu.ReadStatus === undefined ? true : bool(pdu.ReadStatus) === true, powerW, sockets }
  })
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Our names of the container's parameters; the maker's spelling is theirs. */
export const limitNames = {
  coolOilSetC: 'CoolOilSettingTemp',
  coolOilAlarmC: 'CoolOilAlarmTemp',
  hotOilAlarmC: 'HotOilAlarmTemp',
  coolWaterAlarmC: 'CoolWaterAlarmTemp',
  hotWaterAlarmC: 'HotWaterAlarmTemp',
  exhaustFanStartC: 'ExhausFansRunTemp',
  pressureAlarmKpa: 'PressureAlarmValue',
} as const satisfies { [L in keyof CoolingLimits]: string }

export interface Parameters {
  /** As the container sent them: a change is sent with all the others. */
  readonly raw: Fields
  readonly limits: CoolingLimits
  readonly tanks: readonly [boolean | undefined, boolean | undefined]
  readonly exhaustFan: boolean | undefined
}

export function parseParameters(reply: unknown): Parameters {
  const raw = fields(needs(reply, 'RunningParameter').RunningParameter)
  const limits = Object.entries(limitNames).map(([ours, theirs]) => {
    const value = num(raw[theirs])
    return [ours, value === undefined ? null : ours === 'pressureAlarmKpa' ? value * barToKpa : value]
  })
  return {
    raw,
    limits: Object.fromEntries(limits) as CoolingLimits,
    tanks: [bool(raw.Tank1Enable), bool(raw.Tank2Enable)],
    exhaustFan: bool(raw.AirExhaustEnable),
  }
}

const triggers = { '0': 'off', '1': 'electricity', '2': 'coin' } as const
export const triggerNumbers = { off: '0', electricity: '1', coin: '2' } as const

export function parseTactics(reply: unknown): Tactics {
  const tactics = fields(needs(reply, 'Tactics').Tactics)
  const one = (value: unknown, price: 'RunPrice' | 'StopPrice'): Tactics['run'] => {
    const tactic = fields(value)
    return {
      by: triggers[(str(tactic.TacticsType) ?? '0') as '0'] ?? 'off',
      electricityPrice: num(fields(tactic.ElectricityPrice)[price]) ?? null,
      coinPrice: num(fields(tactic.CoinPrice)[price]) ?? null,
    }
  }
  return { run: one(tactics.RunTactics, 'RunPrice'), stop: one(tactics.StopTactics, 'StopPrice') }
}

function needs(reply: unknown, key: string): Fields {
  const message = fields(reply)
  if (!(key in message)) throw new SdkError('DEVICE_BAD_REPLY', `the message has no ${key}`)
  return message
}

const pumpError: Omit<Alarm, 'code' | 'message'> = {
  severity: 'critical',
  cause: 'Its thermal relay has cut it off.',
  action: 'Find out why it was overloaded, then reset the relay and the alarms.',
}
const notRunning: Omit<Alarm, 'code' | 'message'> = {
  severity: 'critical',
  cause: 'It was switched on, but does not report that it runs.',
  action: 'Check that its knob stands on automatic, its breaker and its contactor.',
}
const overheat: Omit<Alarm, 'code' | 'message'> = {
  severity: 'critical',
  action: 'Check pumps, dry coolers and the water; switch miners off if it goes on.',
}

/** Alarms are sentences (protocols/containers.md §A.4). */
const alarms: readonly (readonly [RegExp, Alarm])[] = [
  [/^OilPump(\d) error$/i, { ...pumpError, code: 'oil-pump-error', message: 'Oil pump # fails.' }],
  [/^WaterPump(\d) error$/i, { ...pumpError, code: 'water-pump-error', message: 'Water pump # fails.' }],
  [/^OilPump(\d) not running$/i, { ...notRunning, code: 'oil-pump-not-running', message: 'Oil pump # does not run.' }],
  [
    /^WaterPump(\d) not running$/i,
    { ...notRunning, code: 'water-pump-not-running', message: 'Water pump # does not run.' },
  ],
  [
    /^Tank(\d) hot oil overheat$/i,
    { ...overheat, code: 'hot-oil-overheat', message: 'The oil from the miners in tank # is too hot.' },
  ],
  [
    /^Tank(\d) cool oil overheat$/i,
    { ...overheat, code: 'cool-oil-overheat', message: 'The oil to the miners in tank # is too hot.' },
  ],
  [
    /^Tank(\d) hot water overheat$/i,
    { ...overheat, code: 'hot-water-overheat', message: 'The water from tank # is too hot.' },
  ],
  [
    /^Tank(\d) cool water overheat$/i,
    { ...overheat, code: 'cool-water-overheat', message: 'The water to tank # is too hot.' },
  ],
]

export function alarmOf(text: string): DeviceError {
  for (const [pattern, alarm] of alarms) {
    const found = pattern.exec(text)
    if (found) return alarmError(alarm, { vendorCode: text, part: Number(found[1]) })
  }
  const unknown: Alarm = {
    code: 'container-alarm',
    severity: 'critical',
    component: 'device',
    message: `The container says: ${text.slice(0, 200)}`,
    action: 'Look at the display of the container.',
  }
  return alarmError(unknown, { vendorCode: text.slice(0, 200) })
}

const coldOilC = 20
export function coldOil(tanks: readonly TankTemps[]): DeviceError[] {
  return tanks.flatMap(({ id, coldC }) => {
    if (coldC === null || coldC >= coldOilC) return []
    const alarm: Alarm = {
      code: 'oil-cold',
      severity: 'medium',
      message: 'The oil to the miners in tank # is cold.',
      action: 'Switch coolers off or raise the set point: cold oil is thick and flows badly.',
    }
    return [alarmError(alarm, { part: Number(id) })]
  })
}
