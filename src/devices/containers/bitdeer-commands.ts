import { type CommandInput, type CoolingLimits, SdkError, sleep } from '#model'
import type { Command, Commands, Telemetry } from '../define.js'
import type { Io } from '../io.js'
import { latest, withBroker } from '../kit/mqtt-container.js'
import {
  barToKpa,
  limitNames,
  type MinerType,
  parseParameters,
  pduIds,
  socketName,
  triggerNumbers,
} from './bitdeer-values.js'
import { chosenSockets, socketsShow, type Wanted } from './sockets.js'

/** What it publishes and what it listens to (protocols/containers.md §A). */
export const d40Topics = {
  publishes: new Set(['RunningInfo', 'PDUData', 'MainData', 'TacticsData', 'ParameterData']),
  subscribes: new Set(['PumpOperate', 'PDUOperate', 'CoolerOperate', 'ParameterSet', 'RunningOperate', 'TacticsSet']),
} as const

/** Nothing acknowledges a message: the next one waits so long, ms. */
const betweenMs = 500
/** The state comes every 5 s; what is switched needs a moment more. */
const settleMs = 25_000

type Message = readonly [topic: string, payload: object]

/** Says one thing after the other; the container does not answer, its next data do. */
async function say(io: Io, messages: readonly Message[]): Promise<void> {
  await withBroker(io, d40Topics, async (broker, name) => {
    for (const [place, [topic, payload]] of messages.entries()) {
      if (place > 0) await sleep(io.clock, gapOf(io), io.signal)
      await broker.publish(name, topic, JSON.stringify(payload))
    }
  })
}

function gapOf({ options }: Io): number {
  return typeof options?.gapMs === 'number' ? options.gapMs : betweenMs
}

const switchOf = (on: boolean) => (on ? '1' : '0')

/** The container's own clock has no zone: what it is told is the time here. */
function timeStamp({ clock }: Io): string {
  const at = new Date(clock.now())
  const two = (value: number) => String(value).padStart(2, '0')
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-')
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`
}

const run = (io: Io, operate: 'AutoRun' | 'AutoStop' | 'AlarmReset') =>
  say(io, [['RunningOperate', { TimeStamp: timeStamp(io), Operate: operate }]])

/** All parameters with the changes: the container may take those that are left out for zero. */
async function setParameters(io: Io, changes: Readonly<Record<string, string>>): Promise<void> {
  const reply = await withBroker(io, d40Topics, (broker, name) => latest(broker, name, 'ParameterData', io))
  const { raw } = parseParameters(reply)
  await say(io, [['ParameterSet', { TimeStamp: timeStamp(io), RunningParameter: { ...raw, ...changes } }]])
}

const coolers = ['0', '1'] as const
const fanCount = 8

const switchCooling: Command<'switchCooling'> = {
  async run({ on }, { io }) {
    await say(
      io,
      coolers.map((CoolerIndex) => ['CoolerOperate', { CoolerIndex, FansIndex: '-1', Operate: switchOf(on) }] as const),
    )
    await setParameters(io, { Tank1Enable: switchOf(on), Tank2Enable: switchOf(on) })
  },
  settled: ({ cooling }, { on }) =>
    (cooling?.tanks ?? []).every(({ enabled }) => enabled === on) &&
    (cooling?.dryCoolers ?? []).every(({ fans = [] }) => fans.every(({ running }) => running === on)),
  settleMs,
}

const switchPump: Command<'switchPump'> = {
  check({ type, id }) {
    if (type !== 'oil' && type !== 'water')
      throw new SdkError('DEVICE_UNSUPPORTED', `this container has oil and water pumps, no ${type} pump`)
    if (id !== undefined && id !== '1' && id !== '2') throw new SdkError('BAD_REQUEST', 'pumps are 1 and 2')
  },
  run: ({ type, id, on }, { io }) =>
    say(
      io,
      (id ? [id] : ['1', '2']).map(
        (Index) =>
          ['PumpOperate', { Type: type === 'oil' ? 'OilPump' : 'WaterPump', Index, Operate: switchOf(on) }] as const,
      ),
    ),
  settled: ({ cooling }, { type, id, on }) =>
    (cooling?.pumps ?? [])
      .filter((pump) => pump.type === type && (!id || pump.id === id))
      .every((pump) => pump.running === on),
  settleMs,
}

const switchFan: Command<'switchFan'> = {
  check({ cooler, fan }) {
    if (cooler !== undefined && !coolers.includes(cooler as '0'))
      throw new SdkError('BAD_REQUEST', `dry coolers are ${coolers.join(' and ')}`)
    if (fan !== undefined && !/^[0-7]$/.test(fan)) throw new SdkError('BAD_REQUEST', `fans are 0 to ${fanCount - 1}`)
  },
  run: ({ cooler, fan, on }, { io }) =>
    say(
      io,
      (cooler ? [cooler] : coolers).map(
        (CoolerIndex) => ['CoolerOperate', { CoolerIndex, FansIndex: fan ?? '-1', Operate: switchOf(on) }] as const,
      ),
    ),
  settled: ({ cooling }, { cooler, fan, on }) =>
    (cooling?.dryCoolers ?? [])
      .filter(({ id }) => cooler === undefined || id === cooler)
      .every(({ fans = [] }) =>
        fans.filter(({ id }) => fan === undefined || id === fan).every((each) => each.running === on),
      ),
  settleMs,
}

const switchTank: Command<'switchTank'> = {
  check({ tank }) {
    if (tank !== '1' && tank !== '2') throw new SdkError('BAD_REQUEST', 'tanks are 1 and 2')
  },
  run: ({ tank, on }, { io }) => setParameters(io, { [`Tank${tank}Enable`]: switchOf(on) }),
  settled: ({ cooling }, { tank, on }) => cooling?.tanks?.find(({ id }) => id === tank)?.enabled === on,
  settleMs,
}

const switchSocket: Command<'switchSocket'> = {
  check: ({ sockets }, _, { pdus = [] }) => void chosenSockets(sockets, pdus),
  run: ({ sockets }, { io, before }) => say(io, socketMessages(io, chosenSockets(sockets, before.pdus ?? []), before)),
  settled: ({ pdus = [] }, { sockets }) => socketsShow(sockets, pdus),
  settleMs,
}

/** One message where all sockets of a PDU, or of all PDUs, shall be alike. */
function socketMessages(io: Io, wanted: readonly Wanted[], { pdus = [] }: Telemetry): Message[] {
  const online = pdus.filter((pdu) => pdu.online !== false)
  const all = online.reduce((sum, { sockets }) => sum + sockets.length, 0)
  const alike = (some: readonly Wanted[]) => some.every(({ on }) => on === some[0]!.on)
  const message = (PDUIndex: number, SocketIndex: number, on: boolean): Message => [
    'PDUOperate',
    { PDUIndex, SocketIndex, Operate: switchOf(on) },
  ]
  if (wanted.length === all && alike(wanted) && online.length === pduIds.length) return [message(-1, -1, wanted[0]!.on)]
  return online.flatMap(({ id, sockets }) => {
    const mine = wanted.filter(({ pdu }) => pdu === id)
    const pdu = pduIds.indexOf(id as '1-1')
    if (mine.length === 0) return []
    if (mine.length === sockets.length && alike(mine)) return [message(pdu, -1, mine[0]!.on)]
    return mine.map(({ socket, on }) => message(pdu, placeOf(pdu, socket, io), on))
  })
}

const mostSockets = 16
function placeOf(pdu: number, socket: string, { options }: Io): number {
  const type = options?.minerType as MinerType | undefined
  for (let place = 0; place < mostSockets; place++) if (socketName(pdu, place, type) === socket) return place
  throw new SdkError('BAD_REQUEST', `there is no socket ${socket}`)
}

const setCoolingLimits: Command<'setCoolingLimits'> = {
  check(input, _, { cooling }) {
    const other = Object.keys(input).find((key) => key !== 'exhaustFan' && !Object.hasOwn(limitNames, key))
    if (other) throw new SdkError('DEVICE_UNSUPPORTED', `this container has no ${other}`)
    if (input.pressureAlarmKpa !== undefined && cooling?.limits?.pressureAlarmKpa == null)
      throw new SdkError('DEVICE_UNSUPPORTED', 'this container has no pressure sensors')
    const { coolOilSetC, coolOilAlarmC, hotOilAlarmC } = { ...cooling?.limits, ...input }
    if (coolOilSetC != null && coolOilAlarmC != null && coolOilSetC >= coolOilAlarmC)
      throw new SdkError('BAD_REQUEST', 'the oil has to be set colder than the alarm for cold oil')
    if (coolOilAlarmC != null && hotOilAlarmC != null && coolOilAlarmC >= hotOilAlarmC)
      throw new SdkError('BAD_REQUEST', 'the alarm for cold oil has to be below that for hot oil')
  },
  run: (input, { io }) => setParameters(io, parametersOf(input)),
  settled: ({ cooling }, { exhaustFan, ...limits }) =>
    (exhaustFan === undefined || cooling?.exhaustFan === exhaustFan) &&
    Object.entries(limits).every(([name, value]) => cooling?.limits?.[name as keyof CoolingLimits] === value),
  settleMs,
}

function parametersOf({ exhaustFan, ...limits }: CommandInput<'setCoolingLimits'>): Record<string, string> {
  const named = Object.entries(limits).map(([name, value]) => [
    limitNames[name as keyof typeof limitNames],
    String(name === 'pressureAlarmKpa' ? value / barToKpa : value),
  ])
  return {
    ...(Object.fromEntries(named) as Record<string, string>),
    ...(exhaustFan === undefined ? {} : { AirExhaustEnable: switchOf(exhaustFan) }),
  }
}

const setTactics: Command<'setTactics'> = {
  check({ run: start, stop }) {
    for (const { by, electricityPrice, coinPrice } of [start, stop])
      if ((by === 'electricity' && electricityPrice === undefined) || (by === 'coin' && coinPrice === undefined))
        throw new SdkError('BAD_REQUEST', `by ${by} needs the price of it`)
  },
  run({ run: start, stop }, { io, before }) {
    const known = before.tactics
    const price = (now: number | undefined, old: number | null | undefined) => String(now ?? old ?? 0)
    const one = (wanted: typeof start, old: typeof start | undefined, name: 'RunPrice' | 'StopPrice') => ({
      TacticsType: triggerNumbers[wanted.by],
      ElectricityPrice: { [name]: price(wanted.electricityPrice, old?.electricityPrice) },
      CoinPrice: { [name]: price(wanted.coinPrice, old?.coinPrice) },
    })
    const Tactics = {
      RunTactics: one(start, known?.run as typeof start, 'RunPrice'),
      StopTactics: one(stop, known?.stop as typeof stop, 'StopPrice'),
    }
    return say(io, [['TacticsSet', { Tactics }]])
  },
  settled: ({ tactics }, { run: start, stop }) => shows(tactics?.run, start) && shows(tactics?.stop, stop),
  settleMs,
}

type TacticState = NonNullable<Telemetry['tactics']>['run'] | undefined
function shows(now: TacticState, wanted: CommandInput<'setTactics'>['run']): boolean {
  return Object.entries(wanted).every(([key, value]) => now?.[key as 'by'] === value)
}

export const bitdeerCommands: Commands = {
  switchContainer: {
    run: ({ on }, { io }) => run(io, on ? 'AutoRun' : 'AutoStop'),
    settled: ({ running }, { on }) => running === on,
    settleMs,
  },
  switchCooling,
  switchPump,
  switchFan,
  switchTank,
  switchSocket,
  setCoolingLimits,
  setLiquidTemp: {
    check(input, _, before) {
      if (!('tempC' in input)) throw new SdkError('DEVICE_UNSUPPORTED', 'it has no automatic temperature: set one')
      setCoolingLimits.check?.({ coolOilSetC: input.tempC }, {}, before)
    },
    run: (input, { io }) => setParameters(io, { CoolOilSettingTemp: String('tempC' in input ? input.tempC : '') }),
    settled: ({ setpointTempC }, input) => 'tempC' in input && setpointTempC === input.tempC,
    settleMs,
  },
  setTactics,
  resetAlarms: {
    run: (_, { io }) => run(io, 'AlarmReset'),
    settled: ({ errors = [] }) => errors.every(({ vendorCode }) => vendorCode === undefined),
    settleMs,
  },
}
