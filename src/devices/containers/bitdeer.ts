import { type Metric, type Pdu, type Tactics, Type } from '#model'
import { defineDevice, type Probe, read, type TelemetryMap } from '../define.js'
import type { Protocol } from '../io.js'
import { latest, mqttContainer, mqttPort, withBroker } from '../kit/mqtt-container.js'
import { bitdeerCommands, d40Topics } from './bitdeer-commands.js'
import {
  alarmOf,
  coldOil,
  type Main,
  type MinerType,
  minerTypes,
  type Parameters,
  parseMain,
  parseParameters,
  parseRunning,
  parseTactics,
  pdusOf,
  type Running,
} from './bitdeer-values.js'

const OptionsSchema = Type.Object(
  {
    bind: Type.Optional(
      Type.String({
        pattern: '^[0-9a-fA-F.:]+$',
        maxLength: 45,
        description: 'Address of this machine on which the broker waits for containers; default 127.0.0.1.',
      }),
    ),
    port: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65535, description: 'Port of the broker; default 10883.' }),
    ),
    container: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_.-]+$',
        maxLength: 64,
        description: 'What its topics begin with (C024_D40); default the `host` of the device.',
      }),
    ),
    address: Type.Optional(
      Type.String({
        pattern: '^[0-9a-fA-F.:]+$',
        maxLength: 45,
        description: 'Address from which it may connect without user and password, for controllers that have none.',
      }),
    ),
    minerType: Type.Optional(
      Type.Enum(minerTypes, { description: 'Miners that its tanks are built for: how the sockets are called.' }),
    ),
    gapMs: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 10_000, description: 'Pause between two messages to it, ms; default 500.' }),
    ),
  },
  { additionalProperties: false },
)

const mqtt = mqttContainer(d40Topics)

/** The PDUs with the names that their sockets have in this container. */
const pdus: Protocol<string> = {
  ...mqtt,
  async ask(io, requests) {
    const type = io.options?.minerType as MinerType | undefined
    const replies = await mqtt.ask(io, requests)
    return replies.map((reply) => ('error' in reply ? reply : { value: { reply: reply.value, type } }))
  },
}

const parsePdus = (value: unknown): Pdu[] => {
  const { reply, type } = value as { reply: unknown; type: MinerType | undefined }
  return pdusOf(reply, type)
}

const probe: Probe = {
  name: 'D40 running info',
  port: mqttPort,
  run: (io) => withBroker(io, d40Topics, (broker, name) => latest(broker, name, 'RunningInfo', io)),
}

const numbers: readonly Metric[] = [
  'powerW',
  'powerL1W',
  'powerL2W',
  'powerL3W',
  'voltageL1V',
  'voltageL2V',
  'voltageL3V',
  'currentL1A',
  'currentL2A',
  'currentL3A',
  'ambientTempC',
  'humidityPct',
]
const most = (values: readonly (number | null)[]) => {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? undefined : Math.max(...known)
}

/** Bitdeer D40 (protocols/containers.md §A): two tanks of oil, a controller that connects to our broker. */
export const bitdeerD40 = defineDevice({
  library: 'container-bitdeer',
  kind: 'container',
  make: 'Bitdeer',
  family: 'D40',
  mainPort: mqttPort,
  models: { D40: {} },
  options: OptionsSchema,
  reach: 'named',
  identify: {
    probes: [probe],
    match: (seen) =>
      seen.answer(probe) ? { confidence: 1, model: 'D40', why: ['it has connected and tells its state'] } : undefined,
  },
  reads: {
    running: read(mqtt, 'RunningInfo', parseRunning),
    main: read(mqtt, 'MainData', parseMain),
    pdus: read(pdus, 'PDUData', parsePdus),
    parameters: read(mqtt, 'ParameterData', parseParameters),
    tactics: read(mqtt, 'TacticsData', parseTactics),
  },
  telemetry: (from): TelemetryMap => ({
    model: from('running', () => 'D40'),
    running: from('running', (r: Running) => r.running),
    ...Object.fromEntries(numbers.map((name) => [name, from('main', (m: Main) => m.numbers[name])])),
    supplyTempC: from('main', (m: Main) => most(m.tanks.map(({ coldC }) => coldC))),
    returnTempC: from('main', (m: Main) => most(m.tanks.map(({ hotC }) => hotC))),
    secondarySupplyTempC: from('main', (m: Main) => most(m.tanks.map(({ waterColdC }) => waterColdC))),
    secondaryReturnTempC: from('main', (m: Main) => most(m.tanks.map(({ waterHotC }) => waterHotC))),
    upsBatteryPct: from('main', (m: Main) => m.ups.batteryPct),
    ups: from('main', (m: Main) => m.ups),
    pdus: from('pdus', (list: Pdu[]) => list),
    setpointTempC: from('parameters', (p: Parameters) => p.limits.coolOilSetC),
    tactics: from('tactics', (t: Tactics) => t),
    cooling: from('running', (r: Running, _, all) => ({
      on: r.pumps.some(({ running }) => running === true),
      pumps: r.pumps,
      dryCoolers: r.dryCoolers,
      tanks: (all.main?.tanks ?? []).map((tank, place) => ({ ...tank, enabled: all.parameters?.tanks[place] ?? null })),
      exhaustFan: all.parameters?.exhaustFan ?? null,
      ...(all.parameters ? { limits: all.parameters.limits } : {}),
    })),
    errors: from('running', (r: Running, _, all) => [...r.alarms.map(alarmOf), ...coldOil(all.main?.tanks ?? [])]),
  }),
  commands: bitdeerCommands,
  // Without a user of its own a container shows its name.
  defaults: { intervalMs: 10_000, timeoutMs: 12_000, credentials: [{ username: '', password: '' }] },
})
