import type { Device } from '#devices'
import { type ErrorCode, type Options, type Problem, problemsOf, SdkError, type TSchema } from '#model'

/** The settings of one device: the worker's, and the device's own before them. Nothing where its library has none. */
export function optionsOf(
  candidates: readonly Device[],
  ofWorker?: Options,
  ofDevice?: Options,
): { readonly options?: Options } {
  return candidates.some(({ options }) => options) ? { options: { ...ofWorker, ...ofDevice } } : {}
}

/** The schemas of a library's settings. */
export function optionSchemas(candidates: readonly Device[]): TSchema[] {
  return [...new Set(candidates.flatMap(({ options }) => (options ? [options] : [])))]
}

/**
 * What is wrong with settings, with paths from the settings on: what the library does not have, what does not fit. The worker's and the
 * device's count together; they are good if one of the library's definitions takes them.
 */
export function optionProblems(candidates: readonly Device[], ofWorker?: Options, ofDevice?: Options): Problem[] {
  const together = { ...ofWorker, ...ofDevice }
  const schemas = optionSchemas(candidates)
  if (schemas.length === 0) {
    const message = `${candidates[0]!.library} has no options`
    return Object.keys(together).map((key) => ({ path: `/${key}`, message }))
  }
  const found = schemas.map((schema) => problemsOf(schema, together))
  return found.reduce((fewest, next) => (next.length < fewest.length ? next : fewest))
}

/** Throws `code` for the first problem, with all of them in its details. */
export function checkOptions(
  candidates: readonly Device[],
  ofWorker: Options | undefined,
  ofDevice: Options | undefined,
  what: string,
  code: ErrorCode,
): void {
  const problems = optionProblems(candidates, ofWorker, ofDevice)
  const [first] = problems
  if (!first) return
  throw new SdkError(code, `${what}: options${first.path.replaceAll('/', '.')}: ${first.message}`, {
    details: { problems: problems.map(({ path, message }) => ({ path: `/options${path}`, message })) },
  })
}
