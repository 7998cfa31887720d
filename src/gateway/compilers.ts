import type { FastifyServerOptions } from 'fastify'
import { type Problem, problemsOf, SdkError, type TSchema } from '#model'
import { coerce } from './query.js'

interface Part {
  schema: unknown
  httpPart?: string
}

/**
 * How requests are checked and replies written: by our schemas, with our errors. Fastify asks for both when an application is made,
 * and loads its own compilers (some 15 MB) only where it is not given any.
 */
export const ownCompilers = {
  compilersFactory: {
    buildValidator: () => (part: Part) => validatorOf(part),
    buildSerializer: () => () => (value: unknown) => JSON.stringify(value),
  },
  // The types know only the compilers that come with fastify.
} as unknown as NonNullable<FastifyServerOptions['schemaController']>

function validatorOf({ schema, httpPart }: Part) {
  const text = httpPart === 'querystring' || httpPart === 'params'
  return (value: unknown): { value: unknown } | { error: Error } => {
    const read = text ? coerce(schema as TSchema, (value ?? {}) as Record<string, unknown>) : value
    const problems = nearestProblems(schema as TSchema, read ?? null)
    if (problems.length === 0) return { value: read }
    const [first] = problems
    const message = `${partNames[httpPart ?? ''] ?? 'The request'} is not valid: ${first!.path || 'it'} ${first!.message}`
    return { error: new SdkError('BAD_REQUEST', message, { details: { problems } }) }
  }
}

interface Nested {
  anyOf?: TSchema[]
  properties?: Record<string, TSchema>
}

/** What is wrong, where of alternatives only the one counts that was most likely meant: the one with the least wrong. */
function nearestProblems(schema: TSchema, value: unknown): Problem[] {
  const problems = problemsOf(schema, value)
  if (problems.length === 0) return problems
  const { anyOf, properties = {} } = schema as Nested
  if (anyOf) {
    const each = anyOf.map((alternative) => nearestProblems(alternative, value))
    return each.reduce((least, list) => (list.length < least.length ? list : least))
  }
  const inner = Object.entries(properties).filter(([, property]) => (property as Nested).anyOf)
  return inner.reduce((known, [key, property]) => {
    const at = `/${key}`
    if (!known.some(({ path }) => path.startsWith(`${at}/`))) return known
    const nearest = nearestProblems(property, (value as Record<string, unknown>)[key])
    const others = known.filter(({ path }) => path !== at && !path.startsWith(`${at}/`))
    return [...others, ...nearest.map(({ path, message }) => ({ path: at + path, message }))]
  }, problems)
}

const partNames: Record<string, string> = { body: 'The body', querystring: 'The query', params: 'The path' }
