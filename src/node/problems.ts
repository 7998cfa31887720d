import { distance } from 'fastest-levenshtein'
import { matches, type Problem, redact, type TSchema } from '#model'
import { patternsInWords } from './names.js'

/** The parts of JSON Schema that our schemas are made of. */
interface Shape {
  readonly type?: string
  readonly const?: unknown
  readonly anyOf?: readonly Shape[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly patternProperties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly additionalProperties?: unknown
  readonly items?: Shape
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly maxItems?: number
}

type Path = readonly (string | number)[]

const maxShown = 40

/** Everything that is wrong with a value a person wrote, each with its place, what is expected there, and the nearest right name. */
export function explain(schema: TSchema, value: unknown, path: Path = []): Problem[] {
  return walk(schema as Shape, value, path)
}

/** `services[1].devices[0].host` */
export function placeOf(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    if (!/^[\w$-]+$/.test(step)) return `${text}[${JSON.stringify(step)}]`
    return text === '' ? step : `${text}.${step}`
  }, '')
}

/** `, did you mean port?` if one of the names is close enough to be meant, else nothing. */
export function didYouMean(given: string, names: readonly string[]): string {
  const near = names
    .map((name) => ({ name, edits: editsBetween(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, edits }) => edits <= Math.max(1, Math.floor(name.length / 3)) && edits < given.length)
    .sort((a, b) => a.edits - b.edits)[0]
  return near ? `, did you mean ${near.name}?` : ''
}

/** Letters in the wrong order, the most common slip, count as one. */
function editsBetween(a: string, b: string): number {
  const letters = (text: string) => [...text].sort().join('')
  return a !== b && letters(a) === letters(b) ? 1 : distance(a, b)
}

function walk(schema: Shape, value: unknown, path: Path): Problem[] {
  if (matches(schema as TSchema, value)) return []
  const branch = branchFor(schema, value)
  const inner =
    branch?.type === 'object'
      ? members(branch, value as Record<string, unknown>, path)
      : branch?.type === 'array'
        ? items(branch, value as unknown[], path)
        : []
  if (inner.length > 0) return inner
  return [
    {
      path: placeOf(path),
      message: `must be ${expected(schema)}, is ${shown(value, path)}${nearConstant(schema, value)}`,
    },
  ]
}

/** The schema, or the one alternative of it, that speaks of values of this kind. */
function branchFor(schema: Shape, value: unknown): Shape | undefined {
  const kind = Array.isArray(value) ? 'array' : value !== null && typeof value === 'object' ? 'object' : undefined
  const fitting = (schema.anyOf ?? [schema]).filter(({ type }) => type === kind)
  return kind && fitting.length === 1 ? fitting[0] : undefined
}

function members(schema: Shape, value: Record<string, unknown>, path: Path): Problem[] {
  const properties = schema.properties ?? {}
  const missing = (schema.required ?? []).filter((key) => !Object.hasOwn(value, key))
  const unknown: Problem[] = []
  const inner: Problem[] = []
  const patterns = Object.entries(schema.patternProperties ?? {})
  for (const [key, item] of Object.entries(value)) {
    const rule = Object.hasOwn(properties, key)
      ? properties[key]
      : patterns.find(([pattern]) => new RegExp(pattern).test(key))?.[1]
    if (rule) inner.push(...walk(rule, item, [...path, key]))
    else if (schema.additionalProperties === false) {
      unknown.push({ path: placeOf([...path, key]), message: `unknown key${didYouMean(key, Object.keys(properties))}` })
    }
  }
  const absent = missing.map((key) => ({
    path: placeOf([...path, key]),
    message: `is required: ${expected(properties[key] ?? {})}`,
  }))
  return [...unknown, ...absent, ...inner]
}

function items(schema: Shape, value: unknown[], path: Path): Problem[] {
  const rule = schema.items
  if (!rule) return []
  return value.flatMap((item, index) => walk(rule, item, [...path, index]))
}

function expected(schema: Shape): string {
  if (schema.anyOf) {
    const constants = schema.anyOf.filter((option) => option.const !== undefined)
    if (constants.length === schema.anyOf.length && constants.length > 1)
      return `one of ${constants.map(expected).join(', ')}`
    return schema.anyOf.map(expected).join(' or ')
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  const { minimum, maximum, minLength, maxLength, maxItems } = schema
  const range =
    minimum !== undefined && maximum !== undefined
      ? ` from ${minimum} to ${maximum}`
      : minimum !== undefined
        ? ` of at least ${minimum}`
        : maximum !== undefined
          ? ` of at most ${maximum}`
          : ''
  switch (schema.type) {
    case 'integer':
      return `an integer${range}`
    case 'number':
      return `a number${range}`
    case 'boolean':
      return 'true or false'
    case 'string':
      if (schema.pattern && Object.hasOwn(patternsInWords, schema.pattern)) return patternsInWords[schema.pattern]!
      return `a ${minLength ? 'non-empty ' : ''}string${schema.pattern ? ` that matches ${schema.pattern}` : ''}${maxLength ? ` of at most ${maxLength} characters` : ''}`
    case 'array':
      return `a list${maxItems === undefined ? '' : ` of at most ${maxItems}`}${schema.items ? `, each ${expected(schema.items)}` : ''}`
    case 'object': {
      const keys = Object.keys(schema.properties ?? {})
      return keys.length > 0 ? `an object { ${keys.join(', ')} }` : 'an object'
    }
    default:
      return schema.type ?? 'another value'
  }
}

/** The value in a few characters; never a secret. */
function shown(value: unknown, path: Path): string {
  if (Array.isArray(value)) return 'a list'
  if (value !== null && typeof value === 'object') return 'an object'
  const key = String(path.at(-1) ?? '')
  const safe = (redact({ [key]: value }) as Record<string, unknown>)[key]
  const text = JSON.stringify(safe) ?? String(safe)
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text
}

function nearConstant(schema: Shape, value: unknown): string {
  if (typeof value !== 'string') return ''
  const names = (schema.anyOf ?? [schema]).flatMap((option) => (typeof option.const === 'string' ? [option.const] : []))
  return didYouMean(value, names)
}
