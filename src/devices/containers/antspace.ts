import { SdkError, Type } from '#model'
import { type Command, type Commands, type Device, defineDevice, type Probe, read } from '../define.js'
import type { Io, Protocol } from '../io.js'
import { askCooler, type CoolerRequest, cooler, coolerPort } from '../kit/cooler-http.js'
import { type Fields, fields } from '../kit/json.js'
import {
  type CoolerState,
  type MinerInfo,
  parseHydro,
  parseImmersion,
  parseMinerInfo,
  type Scales,
} from './antspace-values.js'

const halfMinute = 30_000
const minute = 60_000
/** Coolant set colder condenses water, hotter does not cool. */
const leastSetC = 20
const mostSetC = 50

const OptionsSchema = Type.Object(
  {
    powerScaleW: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1e6,
        description:
          'Hydro: watts of one part of the distribution boxes; default 1000. Builds differ: compare with a meter.',
      }),
    ),
    pressureScaleKpa: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1000,
        description: 'Hydro: kPa of one part of the pressures; default 10. Builds differ: compare with a gauge.',
      }),
    ),
  },
  { additionalProperties: false },
)

type Scaled = { readonly state: Fields } & Required<Scales>

/** The same requests, with the scales of the site beside the state. */
const scaledCooler: Protocol<CoolerRequest> = {
  ...cooler,
  name: 'antspace state',
  async ask(io, requests) {
    const { powerScaleW = 1000, pressureScaleKpa = 10 } = (io.options ?? {}) as Scales
    const replies = await cooler.ask(io, requests)
    return replies.map((reply) =>
      'error' in reply
        ? reply
        : { value: { state: fields(reply.value), powerScaleW, pressureScaleKpa } satisfies Scaled },
    )
  },
}

interface State extends CoolerState, Required<Scales> {}

const withScales =
  (parse: (reply: unknown) => CoolerState) =>
  (reply: unknown): State => {
    const { state, ...scales } = reply as Scaled
    return { ...parse(state), ...scales }
  }

const probe: Probe = {
  name: 'antspace cooler',
  port: coolerPort,
  run: (io) => askCooler(io, { operation: 'coolerState' }),
}

const send = (io: Io, operation: string, temp?: string) =>
  askCooler(io, { operation, once: true, ...(temp === undefined ? {} : { temp }) }).then(() => undefined)

const switchCooling: Command<'switchCooling'> = {
  run: ({ on }, { io }) => send(io, on ? 'open' : 'close'),
  settled: (now, { on }) => now.running === on,
  settleMs: minute,
}

const setLiquidTemp: Command<'setLiquidTemp'> = {
  check(input) {
    if ('tempC' in input && (input.tempC < leastSetC || input.tempC > mostSetC))
      throw new SdkError('BAD_REQUEST', `the coolant can be set from ${leastSetC} to ${mostSetC} °C`)
  },
  run: (input, { io }) => send(io, 'setTemp', 'tempC' in input ? String(input.tempC) : 'pid'),
  settled: (now, input) =>
    'tempC' in input ? now.setpointTempC === input.tempC && now.cooling?.mode !== 'pid' : now.cooling?.mode === 'pid',
  settleMs: halfMinute,
}

const commands: Commands = {
  switchContainer: switchCooling as Command<'switchContainer'>,
  switchCooling,
  setLiquidTemp,
  resetAlarms: {
    run: (_, { io }) => send(io, 'reset'),
    settled: (now) => (now.errors ?? []).length === 0,
    settleMs: halfMinute,
  },
}

/** ANTSPACE containers (protocols/containers.md §B): what their cooler reports tells hydro and immersion apart. */
function antspace(family: 'hydro' | 'immersion', sign: string, parse: (reply: unknown) => CoolerState) {
  const model = family === 'hydro' ? 'HK3' : 'HK3 immersion'
  const definition: Parameters<typeof defineDevice>[0] = {
    library: 'container-antspace',
    kind: 'container',
    make: 'Bitmain',
    family,
    mainPort: coolerPort,
    models: { [model]: {} },
    options: OptionsSchema,
    identify: {
      probes: [probe],
      match(seen) {
        const state = seen.answer(probe) as Fields | undefined
        return state && Object.hasOwn(state, sign)
          ? { confidence: 1, model, why: [`its cooler tells of ${sign}`] }
          : undefined
      },
    },
    reads: {
      state: read(scaledCooler, { operation: 'coolerState' }, withScales(parse)),
      miners: read(cooler, { operation: 'minerInfo' }, parseMinerInfo, { everyMs: minute, optional: true }),
    },
    telemetry: (from) => ({
      model: from('state', () => model),
      running: from('state', (s: State) => s.running),
      cooling: from('state', (s: State) => s.cooling),
      supplyTempC: from('state', (s: State) => s.supplyC),
      returnTempC: from('state', (s: State) => s.returnC),
      secondarySupplyTempC: from('state', (s: State) => s.secondarySupplyC),
      secondaryReturnTempC: from('state', (s: State) => s.secondaryReturnC),
      setpointTempC: from('state', (s: State) => s.setpointC),
      ambientTempC: from('state', (s: State) => s.ambientC),
      outdoorTempC: from('state', (s: State) => s.outdoorC),
      humidityPct: from('state', (s: State) => s.humidityPct),
      supplyPressureKpa: from('state', (s: State) => scaled(s.supplyRaw, s.pressureScaleKpa)),
      returnPressureKpa: from('state', (s: State) => scaled(s.returnRaw, s.pressureScaleKpa)),
      flowLpm: from('state', (s: State) => s.flowLpm),
      powerW: from('state', (s: State) => s.powerW ?? scaled(s.powerRaw, s.powerScaleW)),
      voltageL1V: from('state', (s: State) => s.voltages?.[0]),
      voltageL2V: from('state', (s: State) => s.voltages?.[1]),
      voltageL3V: from('state', (s: State) => s.voltages?.[2]),
      currentL1A: from('state', (s: State) => s.currents?.[0]),
      currentL2A: from('state', (s: State) => s.currents?.[1]),
      currentL3A: from('state', (s: State) => s.currents?.[2]),
      errors: from('state', (s: State) => s.errors),
      hashrateThs: from('miners', (m: MinerInfo) => m.hashrateThs),
      boardTempMaxC: from('miners', (m: MinerInfo) => m.boardMaxC),
      chipTempMaxC: from('miners', (m: MinerInfo) => m.chipMaxC),
    }),
    commands,
    defaults: { intervalMs: halfMinute, timeoutMs: 10_000, credentials: [] },
  }
  return definition
}

function scaled(raw: number | undefined, scale: number): number | undefined {
  return raw === undefined ? undefined : raw * scale
}

export const antspaceHydro: Device = defineDevice(antspace('hydro', 'circulating_pump', parseHydro))
export const antspaceImmersion: Device = defineDevice(antspace('immersion', 'second_pump1', parseImmersion))
