import { type DeviceFilter, DeviceFilterSchema, SdkError, type TSchema, Type } from '#model'
import { type Step, stepMs } from '#replication'

interface Plain {
  type?: string
  items?: Plain
  properties?: Record<string, Plain>
}

/**
 * What a query string says, in the types of its schema: lists may be repeated or separated by commas, numbers and booleans are read
 * from their usual text. What does not fit is left as it is, for the check to name.
 */
export function coerce(schema: TSchema, raw: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const properties = (schema as Plain).properties ?? {}
  const entries = Object.entries(raw).map(([key, value]): [string, unknown] => [
    key,
    Object.hasOwn(properties, key) ? read(properties[key]!, value) : value,
  ])
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

function read(schema: Plain, value: unknown): unknown {
  if (schema.type === 'array') {
    const list = (Array.isArray(value) ? value : [value]).flatMap((part) => String(part).split(','))
    const given = list.map((part) => part.trim()).filter((part) => part !== '')
    return given.length === 0 ? undefined : given.map((part) => read(schema.items ?? {}, part))
  }
  if (typeof value !== 'string') return value
  if ((schema.type === 'integer' || schema.type === 'number') && /^-?\d+(\.\d+)?$/.test(value)) return Number(value)
  if (schema.type === 'boolean' && /^(true|1|false|0|)$/.test(value)) return value !== 'false' && value !== '0'
  return value
}

const filterKeys = Object.keys(DeviceFilterSchema.properties) as (keyof DeviceFilter)[]

/** The device filter among the parameters of a query. */
export function filterOf(query: DeviceFilter): DeviceFilter {
  return Object.fromEntries(
    filterKeys.filter((key) => query[key] !== undefined).map((key) => [key, query[key]]),
  ) as DeviceFilter
}

/** A point in time: ms since the epoch, ISO 8601, `now`, or relative to now as `-24h`. */
export const TimeSchema = Type.String({
  minLength: 1,
  maxLength: 40,
  description: 'ms since the epoch, ISO 8601, `now`, or relative as `-24h` (s, m, h, d, w)',
})

const unitMs: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const isoTime = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/
/** The last time that a Date can hold. */
const maxTime = 8.64e15

/** Throws BAD_REQUEST, naming the parameter, if the text is no time. A `+` of a zone may have become a space on its way. */
export function parseTime(text: string, now: number, name: string): number {
  const relative = /^-(\d{1,9})([smhdw])$/.exec(text)
  const at = relative
    ? now - Number(relative[1]) * unitMs[relative[2]!]!
    : text === 'now'
      ? now
      : /^\d{1,16}$/.test(text)
        ? Number(text)
        : isoTime.test(text.replace(' ', '+'))
          ? Date.parse(text.replace(' ', '+'))
          : Number.NaN
  if (Number.isFinite(at) && Math.abs(at) <= maxTime) return at
  throw badParameter(name, `is no time; write ms since the epoch, ISO 8601, or -24h`)
}

export interface Span {
  from: number
  to: number
}

export const defaultSpanMs = 24 * 3_600_000

/** `from` and `to` of a query; the last 24 h by default. Throws BAD_REQUEST if it ends before it begins. */
export function parseSpan(query: { from?: string; to?: string }, now: number): Span {
  const to = query.to === undefined ? now : parseTime(query.to, now, 'to')
  const from = query.from === undefined ? to - defaultSpanMs : parseTime(query.from, now, 'from')
  if (from >= to) throw badParameter('from', 'must be before `to`')
  return { from, to }
}

export type RollupStep = Exclude<Step, 'raw'>

/** The finest step that gives a chart at most this many points. */
const chartPoints = 750

/** The step for a span: raw for two hours, then coarser, so that a chart has some hundred points. */
export function stepFor({ from, to }: Span): Step {
  return to - from <= 2 * 3_600_000 ? 'raw' : rollupFor({ from, to })
}

export function rollupFor({ from, to }: Span): RollupStep {
  const steps = Object.entries(stepMs) as [RollupStep, number][]
  return steps.find(([, ms]) => (to - from) / ms <= chartPoints)?.[0] ?? '1d'
}

export function badParameter(name: string, message: string): SdkError {
  return new SdkError('BAD_REQUEST', `${name} ${message}`, { details: { problems: [{ path: `/${name}`, message }] } })
}
