import type { TSchema } from '#model'

/** What the object parts of a JSON Schema look like from here. */
interface ObjectSchema {
  readonly properties?: Readonly<Record<string, TSchema & { readonly default?: unknown }>>
  readonly items?: TSchema
}

/** A copy of the value in which every key that is missing and has a default has it, also inside objects and lists. */
export function fillDefaults(schema: TSchema, value: unknown): unknown {
  const { properties, items } = schema as ObjectSchema
  if (Array.isArray(value)) return items ? value.map((item) => fillDefaults(items, item)) : value
  if (!properties || typeof value !== 'object' || value === null) return value
  const filled: Record<string, unknown> = { ...value }
  for (const [key, inner] of Object.entries(properties)) {
    const given = Object.hasOwn(filled, key) ? filled[key] : undefined
    const wanted = given === undefined ? structuredClone(inner.default) : given
    if (wanted !== undefined) filled[key] = fillDefaults(inner, wanted)
  }
  return filled
}
