/** The part of JSON Schema that the inputs of commands use. */
export interface Schema {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  const?: string | number | boolean
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  minItems?: number
  maxItems?: number
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  minLength?: number
  maxLength?: number
  minProperties?: number
  pattern?: string
  format?: string
}

/** One input of a form. `text`: also secrets; `choice`: constants; `variant`: alternatives of whole objects; `rows`: a list. */
export type Control = 'text' | 'secret' | 'number' | 'switch' | 'choice' | 'variant' | 'group' | 'rows'

export function controlOf(schema: Schema, name = ''): Control {
  if (schema.anyOf) return schema.anyOf.every((option) => option.const !== undefined) ? 'choice' : 'variant'
  if (schema.type === 'object') return 'group'
  if (schema.type === 'array') return 'rows'
  if (schema.type === 'boolean') return 'switch'
  if (schema.type === 'integer' || schema.type === 'number') return 'number'
  return /passw|secret|token/i.test(name) ? 'secret' : 'text'
}

export const isRequired = (schema: Schema, name: string): boolean => schema.required?.includes(name) ?? false

/** What a fresh form holds: required parts are there, optional ones are left out. */
export function initial(schema: Schema): unknown {
  if (schema.const !== undefined) return schema.const
  if (schema.anyOf) return controlOf(schema) === 'choice' ? undefined : initial(schema.anyOf[0]!)
  if (schema.type === 'boolean') return false
  if (schema.type === 'array') return Array.from({ length: schema.minItems ?? 0 }, () => initial(schema.items ?? {}))
  if (schema.type !== 'object') return undefined
  const properties = Object.entries(schema.properties ?? {}).filter(([name]) => isRequired(schema, name))
  return Object.fromEntries(properties.map(([name, inner]) => [name, initial(inner)]))
}

const ipv4 = /^((25[0-5]|2[0-4]\d|1?\d?\d)(\.|$)){4}$/

/** What is wrong, by JSON pointer; empty if it can be sent. The gateway checks again with the whole schema. */
export function problems(schema: Schema, value: unknown, path = ''): Record<string, string> {
  const problem = (message: string) => ({ [path]: message })
  if (schema.const !== undefined) return value === schema.const ? {} : problem('is not one of the choices')
  if (schema.anyOf) {
    const found = schema.anyOf.map((option) => problems(option, value, path))
    if (found.some((each) => Object.keys(each).length === 0)) return {}
    return controlOf(schema) === 'choice' ? problem('choose one') : found[variantOf(schema, value)]!
  }
  if (schema.type === 'object') {
    const entries = isObject(value) ? value : {}
    if (Object.keys(entries).length < (schema.minProperties ?? 0)) return problem('set at least one value')
    return Object.assign(
      {},
      ...Object.entries(schema.properties ?? {})
        .filter(([name]) => isRequired(schema, name) || entries[name] !== undefined)
        .map(([name, inner]) => problems(inner, entries[name], `${path}/${name}`)),
    )
  }
  if (schema.type === 'array') {
    const items = Array.isArray(value) ? value : []
    if (items.length < (schema.minItems ?? 0)) return problem(`needs at least ${schema.minItems}`)
    if (items.length > (schema.maxItems ?? Number.POSITIVE_INFINITY)) return problem(`takes at most ${schema.maxItems}`)
    return Object.assign({}, ...items.map((item, index) => problems(schema.items ?? {}, item, `${path}/${index}`)))
  }
  const message = scalarProblem(schema, value)
  return message ? problem(message) : {}
}

function scalarProblem(schema: Schema, value: unknown): string | undefined {
  if (schema.type === 'boolean') return typeof value === 'boolean' ? undefined : 'choose one'
  if (schema.type === 'integer' || schema.type === 'number') {
    if (typeof value !== 'number' || !Number.isFinite(value)) return 'needs a number'
    if (schema.type === 'integer' && !Number.isInteger(value)) return 'needs a whole number'
    if (schema.exclusiveMinimum !== undefined && value <= schema.exclusiveMinimum)
      return `must be above ${schema.exclusiveMinimum}`
    if (schema.minimum !== undefined && value < schema.minimum) return `must be at least ${schema.minimum}`
    if (schema.maximum !== undefined && value > schema.maximum) return `must be at most ${schema.maximum}`
    return undefined
  }
  const given = typeof value === 'string' ? value : ''
  if (given.length < (schema.minLength ?? 0) || (given === '' && (schema.pattern || schema.format)))
    return 'is required'
  if (given.length > (schema.maxLength ?? Number.POSITIVE_INFINITY))
    return `must have at most ${schema.maxLength} characters`
  if (schema.format === 'ipv4' && !ipv4.test(given)) return 'must be an address like 10.0.0.12'
  if (schema.pattern && !new RegExp(schema.pattern).test(given))
    return schema.pattern.includes('://')
      ? 'must be like stratum+tcp://host:port'
      : 'has characters that are not allowed'
  return undefined
}

/** Which alternative the value belongs to: the first whose constants it has. */
export function variantOf(schema: Schema, value: unknown): number {
  const options = schema.anyOf ?? []
  const held = isObject(value) ? value : {}
  const at = options.findIndex((option) =>
    Object.entries(option.properties ?? {}).every(
      ([name, inner]) => inner.const === undefined || inner.const === held[name],
    ),
  )
  return Math.max(0, at)
}

const words: Record<string, string> = {
  url: 'Address',
  dhcp: 'DHCP',
  ip: 'IP address',
  dns: 'DNS servers',
  ths: 'Target, TH/s',
  watts: 'Watts',
  percent: 'Percent',
  dutyPct: 'Duty, %',
  tempOffsetC: 'Temperature offset, °C',
  sha256: 'SHA-256',
  proto: 'Protocol',
  on: 'On',
  user: 'User or worker',
  zonename: 'Zone name',
  path: 'File on the worker',
}

/** A name of the schema as a label: `zeroSpeed` is "Zero speed". */
export function labelOf(name: string): string {
  const spaced = name.replace(/([A-Z])/g, ' $1').toLowerCase()
  return words[name] ?? spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

/** A copy of an object with the property set, or left out if the value is undefined. */
export function withProperty(value: unknown, name: string, inner: unknown): Record<string, unknown> {
  const { [name]: _old, ...others } = isObject(value) ? value : {}
  return inner === undefined ? others : { ...others, [name]: inner }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Parameters as they were kept, without the places from which a secret was removed: these have to be given again. */
export function withoutRemoved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutRemoved)
  if (!isObject(value)) return value === '[removed]' ? undefined : value
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, inner]) => [name, withoutRemoved(inner)] as const)
      .filter(([, inner]) => inner !== undefined),
  )
}
