import {
  type Board,
  type Bounds,
  boundsOf,
  type CommandInput,
  type CommandName,
  type Cooling,
  type DeviceError,
  type Fan,
  isMetric,
  type Kind,
  type Metrics,
  metricsOf,
  type Network,
  type Payment,
  type Pdu,
  type Pool,
  type PoolWorker,
  type Psu,
  type Reading,
  SdkError,
  type Tactics,
  type TSchema,
  type Tuning,
  type Ups,
} from '#model'
import type { Credentials, Io, Protocol } from './io.js'
import type { Replies } from './replies.js'

/** Facts of one hardware model; what is not known is absent. Board, chip and fan counts: protocols/models-hardware.csv. */
export interface Model {
  readonly boards?: number
  readonly chips?: number
  readonly fans?: number
  readonly cooling?: 'air' | 'hydro' | 'immersion'
  readonly nominalHashrateThs?: number
  readonly efficiencyJTh?: number
  /** Highest power limit that may be set, W. */
  readonly maxPowerW?: number
  /** Facts of one family only, e.g. the order of temperature sensors. A quirk is a fact in a row, never a branch on a name. */
  readonly quirks?: Readonly<Record<string, unknown>>
}

/** All that a visit can tell of a device. Every field is optional: absent = not reported by this firmware. */
export interface Telemetry extends Metrics {
  model?: string
  variant?: string
  firmwareVersion?: string
  apiVersion?: string
  controlBoard?: string
  serial?: string
  mac?: string
  hostname?: string
  psu?: Psu
  boards?: Board[]
  fans?: Fan[]
  pools?: Pool[]
  errors?: DeviceError[]
  tuning?: Tuning
  network?: Network
  led?: 'on' | 'off' | 'blink'
  /** The vendor says that it does not hash because it was told so. */
  asleep?: boolean
  /** The firmware is finding its settings. */
  tuningNow?: boolean
  /** A container works: it cools and feeds its miners. */
  running?: boolean
  pdus?: Pdu[]
  cooling?: Cooling
  ups?: Ups
  tactics?: Tactics
  readings?: Reading[]
  workers?: PoolWorker[]
  payments?: Payment[]
  /** What the device itself says it takes, lowest and highest; for the checks of commands, not part of its record. */
  limits?: DeviceLimits
  /** How its fans are set, whatever they do; for the read-back of commands, not part of its record. */
  fanSetting?: FanSetting
}

export interface DeviceLimits {
  readonly powerW?: Range
  readonly hashrateThs?: Range
  readonly fanDutyPct?: Range
  readonly targetTempC?: Range
  /** The only targets that there are, of firmwares that have ready-made ones. */
  readonly presets?: readonly Preset[]
}
/** A ready-made target: its name at the device, what it draws and what it brings. */
export interface Preset {
  readonly name: string
  readonly watts?: number
  readonly ths?: number
}
export type Range = readonly [low: number, high: number]

export interface FanSetting {
  readonly mode: 'auto' | 'manual' | 'off'
  readonly dutyPct?: number
  readonly targetTempC?: number
  readonly minFans?: number
}

/** One request and what its reply means. `parse` throws SdkError('DEVICE_BAD_REPLY' or 'DEVICE_REFUSED' ...) on anything it cannot take. */
export interface Read<T = unknown, Request = unknown> {
  readonly protocol: Protocol<Request>
  readonly request: Request
  readonly parse: (reply: unknown) => T
  /** Asked at most this often, ms; 0: on every poll. Between, the last good reply is used. */
  readonly everyMs: number
  /** Not every firmware has it: a refusal then means "not reported", not "missing". */
  readonly optional: boolean
  /** Asked only when one of these reads failed: the second way to the same facts. */
  readonly insteadOf: readonly string[]
  /** What does not change: the last good reply stands when it cannot be asked again, as with a firmware that is told to sleep. */
  readonly lasting: boolean
}

export function read<T, Request>(
  protocol: Protocol<Request>,
  request: Request,
  parse: (reply: unknown) => T,
  options: { everyMs?: number; optional?: boolean; insteadOf?: readonly string[]; lasting?: boolean } = {},
): Read<T, Request> {
  return {
    protocol,
    request,
    parse,
    everyMs: options.everyMs ?? 0,
    optional: options.optional ?? false,
    insteadOf: options.insteadOf ?? [],
    lasting: options.lasting ?? false,
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a table of reads of different reply types
export type Reads = Record<string, Read<any, any>>
export type ReplyOf<R> = R extends Read<infer T, infer _> ? T : never

export interface Extraction {
  readonly read: string
  readonly take: (reply: never, model: Model, others: never) => unknown
}

/** The last good replies of all reads, for a value that is spread over several of them. */
export type Others<R extends Reads> = { readonly [N in keyof R]?: ReplyOf<R[N]> }

/** `from('summary', (summary, model, others) => value)`. Undefined, null and NaN mean "not reported". */
export type From<R extends Reads> = <N extends keyof R & string, V>(
  name: N,
  take: (reply: ReplyOf<R[N]>, model: Model, others: Others<R>) => V,
) => Extraction & { readonly value?: V }

/** Field to where it comes from; a list is tried in order, the first that reports it wins. */
export type TelemetryMap = { [F in keyof Telemetry]?: Extraction | readonly Extraction[] }

/** What one request of the identification saw: the port's answer, or why there is none. */
export interface Probe {
  readonly name: string
  readonly port: { readonly name: string; readonly default: number }
  /** Nobody else speaks so on this port, so that an answer settles it: it is asked before the others. */
  readonly proof?: boolean
  /** Whether what was seen before makes it worth asking; without it: always. It decides about cost only, never about the outcome. */
  readonly when?: (seen: Evidence) => boolean
  run(io: Io): Promise<unknown>
}

export interface Evidence {
  /** The answer of a probe, undefined if it failed or was not tried. */
  answer(probe: Probe): unknown
}

export interface Match {
  /** 1: it says so itself. Above 0.5: enough to adopt. */
  readonly confidence: number
  readonly model?: string | undefined
  readonly variant?: string | undefined
  readonly firmware?: string | undefined
  readonly mac?: string | undefined
  /** The evidence in words. */
  readonly why: readonly string[]
}

export interface Identify {
  readonly probes: readonly Probe[]
  match(seen: Evidence): Match | undefined
}

export interface CommandVisit {
  readonly io: Io
  readonly model: Model
  /** What was read just before. */
  readonly before: Telemetry
}

export interface Command<N extends CommandName = CommandName> {
  /** Refuses with SdkError what this model cannot take (limits), before anything is sent. */
  readonly check?: (input: CommandInput<N>, model: Model, before: Telemetry) => void
  /** Sends it. A lost reply of a command that cuts the connection is no failure: the read-back decides. May answer what was fetched. */
  readonly run: (input: CommandInput<N>, visit: CommandVisit) => Promise<unknown>
  /** Whether the device shows the change. Without it a command can only be `accepted`. */
  readonly settled?: (now: Telemetry, input: CommandInput<N>, before: Telemetry) => boolean
  /** How long the change may take to show, ms. */
  readonly settleMs: number
}

export type Commands = { readonly [N in CommandName]?: Command<N> }

/** A field, its sources in the order in which they are tried, and what its value has to be within if it is a metric. */
export type FieldSources = readonly [field: keyof Telemetry, sources: readonly Extraction[], bounds: Bounds | undefined]

/**
 * `address`: it takes connections, and one is made for a visit. `gateway`: many share the connection to one gateway, which is kept.
 * `named`: it cannot be found by knocking at addresses: it connects to us, is a service, or only its operator can say what it is.
 */
export type Reach = 'address' | 'gateway' | 'named'

/** One brand and firmware: how it is identified, read and commanded. A frozen value, no state. */
export interface Device {
  readonly library: string
  readonly kind: Kind
  readonly make: string
  /** The firmware family, `stock` or its name; with `variant` of the protocol where one library has several: `stock-v3`. */
  readonly family: string
  /** The port that `port` of a device entry means. */
  readonly mainPort: { readonly name: string; readonly default: number }
  readonly models: Readonly<Record<string, Model>>
  /** The row of a model as the device reports it; undefined if it is not in the table. */
  readonly modelOf: (model: string, variant?: string) => Model | undefined
  readonly identify: Identify
  /** The settings that the operator may give (`options` of a worker or a device); absent: none. Scalings that depend on the site are here. */
  readonly options?: TSchema
  /** How it is reached where that is no address which takes connections of its own: see `Reach`. Absent: `address`. */
  readonly reach?: Reach
  readonly reads: Reads
  /** No reply to any of its reads: the replies of a visit start as a copy, so that all have one shape. */
  readonly unread: Replies
  /** The fields that say which model it is come first. */
  readonly telemetry: readonly FieldSources[]
  /** Whether some of its reads are asked only instead of others. */
  readonly hasSecondWays: boolean
  /** Every field it can have, all undefined: readings start as a copy, so that all have one shape (adding keys one by one is ten times slower). */
  readonly blank: Readonly<Telemetry>
  readonly commands: Commands
  /** What of its protocol is not known, and what is therefore not done or done with reserve: sentences for the documentation. */
  readonly notes?: readonly string[]
  /** The names of its commands. */
  readonly capabilities: readonly CommandName[]
  readonly defaults: {
    readonly intervalMs: number
    /** Deadline of one visit, ms; the worker adapts it within 1x to 4x. */
    readonly timeoutMs: number
    /** Tried in this order after those of the operator. */
    readonly credentials: readonly Credentials[]
  }
}

export interface DeviceDefinition<R extends Reads>
  extends Omit<Device, 'reads' | 'unread' | 'telemetry' | 'hasSecondWays' | 'modelOf' | 'blank' | 'capabilities'> {
  readonly modelOf?: Device['modelOf']
  readonly reads: R
  readonly telemetry: (from: From<R>) => TelemetryMap
}

/** The fields that say which model it is; they come first in the list of a definition. */
export function isIdentity(field: string): boolean {
  return field === 'model' || field === 'variant'
}

/** Makes the value; throws at once if a telemetry field names a read that does not exist. */
export function defineDevice<R extends Reads>(definition: DeviceDefinition<R>): Device {
  const map = definition.telemetry((name, take) => {
    if (!Object.hasOwn(definition.reads, name))
      throw new SdkError('BAD_REQUEST', `${definition.library}: no read named ${name}`)
    return { read: name, take: take as Extraction['take'] }
  })
  const telemetry = (Object.entries(map) as [keyof Telemetry, Extraction | readonly Extraction[]][]).map(
    ([field, sources]): FieldSources => [
      field,
      Array.isArray(sources) ? sources : [sources],
      isMetric(field) ? boundsOf(field, definition.kind) : undefined,
    ],
  )
  telemetry.sort(([a], [b]) => Number(isIdentity(b)) - Number(isIdentity(a)))
  const modelOf = definition.modelOf ?? ((model: string) => definition.models[model])
  const names = new Set<string>([...telemetry.map(([field]) => field), ...metricsOf(definition.kind), 'errors'])
  return Object.freeze({
    ...definition,
    telemetry: Object.freeze(telemetry),
    hasSecondWays: Object.values(definition.reads).some(({ insteadOf }) => insteadOf.length > 0),
    modelOf,
    unread: Object.fromEntries(Object.keys(definition.reads).map((name) => [name, undefined])),
    // Not frozen: to copy a frozen object takes ten times as long.
    blank: Object.fromEntries([...names].map((name) => [name, undefined])),
    capabilities: Object.freeze(Object.keys(definition.commands) as CommandName[]),
  })
}
