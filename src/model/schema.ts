import { type Static, type TSchema, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { type ErrorCode, SdkError } from './errors.js'

export type { Static, TSchema }
export { Type }

export interface Problem {
  /** JSON pointer of the offending value, '' for the whole. */
  path: string
  message: string
}

interface Checker {
  check(value: unknown): boolean
  problems(value: unknown): Problem[]
}

/** Compiled once per schema object, at first use: compiling costs a millisecond, checking about one microsecond. */
const checkers = new WeakMap<object, Checker>()

function checker(schema: TSchema): Checker {
  let found = checkers.get(schema)
  if (!found) {
    const compiled = Compile(schema)
    found = {
      check: (value) => compiled.Check(value),
      problems: (value) => describe([...compiled.Errors(value)] as RawProblem[], value),
    }
    checkers.set(schema, found)
  }
  return found
}

interface RawProblem {
  keyword: string
  instancePath: string
  message: string
  params: Record<string, unknown>
}

/** The validator's findings in plain words: unknown keys by name, alternatives as one line, no duplicates. */
function describe(raw: RawProblem[], value: unknown): Problem[] {
  const problems = new Map<string, string>()
  const unknownKeys = new Set<string>()
  for (const { keyword, instancePath, message, params } of raw) {
    if (keyword === 'additionalProperties') {
      for (const key of (params.additionalProperties as string[] | undefined) ?? []) {
        unknownKeys.add(`${instancePath}/${key}`)
        problems.set(`${instancePath}/${key}`, 'unknown key')
      }
    }
    if (keyword === 'boolean' || keyword === 'additionalProperties' || keyword === 'anyOf') continue
    if (unknownKeys.has(instancePath)) continue
    if (keyword === 'enum') {
      const allowed = (params.allowedValues as unknown[] | undefined) ?? []
      problems.set(instancePath, `must be one of ${allowed.map((value) => JSON.stringify(value)).join(', ')}`)
    } else if (keyword === 'const') {
      const known = problems.get(instancePath)
      const option = JSON.stringify(params.allowedValue)
      problems.set(
        instancePath,
        known?.startsWith('must be one of ') ? `${known}, ${option}` : `must be one of ${option}`,
      )
    } else if (keyword === 'required') {
      const names = (params.requiredProperties as string[] | undefined) ?? []
      for (const name of names) problems.set(`${instancePath}/${name}`, 'is required')
    } else if (!problems.has(instancePath)) {
      problems.set(instancePath, message)
    }
  }
  if (problems.size === 0 && value !== undefined) problems.set('', 'does not match the schema')
  return [...problems].map(([path, message]) => ({ path, message }))
}

export function matches<S extends TSchema>(schema: S, value: unknown): value is Static<S> {
  return checker(schema).check(value)
}

/** What is wrong with the value, in plain words; empty if nothing is. */
export function problemsOf(schema: TSchema, value: unknown): Problem[] {
  const known = checker(schema)
  return known.check(value) ? [] : known.problems(value)
}

/** The value, typed, or an error with `code` whose details are the list of problems (path and message). */
export function check<S extends TSchema>(
  schema: S,
  value: unknown,
  what: string,
  code: ErrorCode = 'BAD_REQUEST',
): Static<S> {
  if (checker(schema).check(value)) return value as Static<S>
  const problems = problemsOf(schema, value)
  const first = problems[0]
  const place = first?.path ? ` at ${first.path}` : ''
  throw new SdkError(code, `${what} is not valid${place}: ${first?.message ?? 'does not match the schema'}`, {
    details: { problems },
  })
}
