/** The fields that may be undefined may be absent, and are never undefined. */
export type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** The object without what is undefined: absent means not reported. */
export function defined<T extends object>(object: T): Defined<T> {
  const out: Record<string, unknown> = {}
  for (const key in object) if (object[key] !== undefined) out[key] = object[key]
  return out as never
}
