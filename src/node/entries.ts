import { type Problem, type TSchema, Type } from '#model'
import { fillDefaults } from './defaults.js'
import { NameSchema } from './names.js'
import { didYouMean, explain } from './problems.js'

/** A kind of service that may stand in `services[]`: told from the others by what its entry has. `schema` is an object; the name is added to it. */
export interface ConfigKind {
  readonly kind: string
  matches(entry: Readonly<Record<string, unknown>>): boolean
  readonly schema: TSchema
  /** What is wrong with an entry that the schema takes; paths within it, such as `devices[0].options.scale`. */
  readonly check?: (config: Readonly<Record<string, unknown>>) => Problem[]
  /** What editors need to know of it beyond its schema: `allOf` of its JSON Schema. */
  readonly rules?: readonly unknown[]
}

export interface ServiceEntry {
  readonly name: string
  readonly kind: string
  /** As a process of its own it is started anew beyond this. */
  readonly maxMemoryMb: number
  /** Checked, with its defaults, without what every entry has. */
  readonly config: Readonly<Record<string, unknown>>
}

/** One entry of `services[]` with its defaults, or what is wrong with it. */
export function readEntry(
  entry: unknown,
  at: number,
  kinds: readonly ConfigKind[],
): { service?: ServiceEntry; problems: Problem[] } {
  const refuse = (message: string) => ({ problems: [{ path: `services[${at}]`, message }] })
  if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) return refuse('must be an object')
  const fields = entry as Record<string, unknown>
  const fitting = kinds.filter((kind) => kind.matches(fields))
  if (fitting.length > 1) return refuse(`is ${fitting.map(({ kind }) => kind).join(' and ')} at once`)
  const [kind] = fitting
  if (!kind) return refuse(whatItCouldBe(fields, kinds))
  const schema = entrySchema(kind.schema)
  const full = fillDefaults(schema, entry)
  const problems = explain(schema, full, ['services', at])
  if (problems.length > 0) return { problems }
  const { name, maxMemoryMb, ...config } = full as { name: string; maxMemoryMb: number } & Record<string, unknown>
  const further = kind.check?.(config) ?? []
  if (further.length > 0)
    return { problems: further.map(({ path, message }) => ({ path: `services[${at}].${path}`, message })) }
  return { service: { name, kind: kind.kind, maxMemoryMb, config }, problems: [] }
}

interface ObjectSchema {
  readonly properties: Record<string, TSchema & { readonly const?: unknown; readonly default?: unknown }>
  readonly required?: readonly string[]
}

/** What every entry has, whatever it is. */
const common = {
  name: NameSchema,
  maxMemoryMb: Type.Optional(
    Type.Integer({
      minimum: 64,
      default: 2048,
      description: 'In the mode microservices a process that uses more is started anew.',
    }),
  ),
}

/** A kind's own schema and what every entry has. */
export function entrySchema(schema: TSchema): TSchema {
  const known = entrySchemas.get(schema)
  if (known) return known
  const made = Type.Object(
    { ...common, ...(schema as unknown as ObjectSchema).properties },
    { additionalProperties: false },
  )
  entrySchemas.set(schema, made)
  return made
}
const entrySchemas = new WeakMap<object, TSchema>()

/** What an entry must say itself: required, and without a default. */
export function ownKeys(schema: TSchema): string[] {
  const { properties, required = [] } = schema as unknown as ObjectSchema
  return required.filter((key) => properties[key]?.default === undefined)
}

/** The keys, with the value where only one will do, that make an entry one of this kind. */
function tellTales(kind: ConfigKind): { key: string; value: unknown }[] {
  const { properties } = kind.schema as unknown as ObjectSchema
  return Object.entries(properties)
    .map(([key, schema]) => ({ key, value: schema.const }))
    .filter(({ key, value }) => kind.matches({ [key]: value ?? '' }))
}

function whatItCouldBe(fields: Record<string, unknown>, kinds: readonly ConfigKind[]): string {
  if (typeof fields.role === 'string') {
    const roles = kinds.map(({ schema }) => (schema as unknown as ObjectSchema).properties.role?.const)
    const known = roles.filter((role) => typeof role === 'string')
    return `there is no role ${JSON.stringify(fields.role)}${didYouMean(fields.role, known)}`
  }
  const ways = kinds.flatMap((kind) => tellTales(kind).map((way) => ({ ...way, kind: kind.kind })))
  const words = ways.map(({ key, value, kind }) =>
    value === undefined ? `${key} (${kind})` : `${key} ${JSON.stringify(value)}`,
  )
  const names = ways.map(({ key }) => key)
  const near = Object.keys(fields)
    .filter((key) => key !== 'name')
    .map((key) => ({ key, hint: didYouMean(key, names) }))
    .find(({ hint }) => hint !== '')
  return `does not say what it is; it needs ${words.join(', or ')}${near ? `; ${near.key}: unknown key${near.hint}` : ''}`
}

/**
 * Names and devices that stand there twice. Names are folders, and some file systems do not tell upper from lower case; a device stands
 * under one worker, once. The entries are as they were written, so what else is wrong with them does not hide it.
 */
export function twins(entries: readonly unknown[]): Problem[] {
  const problems: Problem[] = []
  const first = new Map<string, string>()
  const once = (key: string, owner: string, place: string, message: string) => {
    const before = first.get(key)
    if (before === undefined) first.set(key, owner)
    else problems.push({ path: place, message: `${message} ${before}` })
  }
  for (const [at, entry] of entries.entries()) {
    const { name, devices } = (entry ?? {}) as { name?: unknown; devices?: unknown }
    const place = `services[${at}]`
    if (typeof name === 'string') {
      once(`name ${name.toLowerCase()}`, place, `${place}.name`, `${JSON.stringify(name)} is also the name of`)
    }
    if (!Array.isArray(devices)) continue
    for (const [index, device] of devices.entries()) {
      const { id, host, port, unit } = (device ?? {}) as Record<string, unknown>
      const here = `${place}.devices[${index}]`
      if (typeof id === 'string') once(`id ${id}`, here, `${here}.id`, `${JSON.stringify(id)} is also the id of`)
      else if (typeof host === 'string')
        once(`address ${at} ${host} ${port} ${unit}`, here, here, 'is the same device as')
    }
  }
  return problems
}
