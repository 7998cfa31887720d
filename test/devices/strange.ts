import fc from 'fast-check'

/** What devices answer instead of what was expected: any JSON, and what firmwares really put into fields that they cannot fill. */
export const strange = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(
    null,
    '',
    'nan',
    -1,
    255,
    65535,
    -273,
    1e308,
    '1e999',
    [],
    {},
    [[]],
    true,
    '-',
    '0-0-0-0',
    'A[1] B[2 3] PS[] ECHU[9 9]',
    'x'.repeat(5000),
  ),
)

/** The reply with another value at some place of it; the steps lead there, each taken round the keys that there are. */
export function spoiled(reply: unknown, steps: readonly number[], value: unknown): unknown {
  const copy = structuredClone(reply)
  if (copy === null || typeof copy !== 'object') return value
  let place = copy as Record<string, unknown>
  for (const step of steps.slice(0, -1)) {
    const inner = Object.values(place)[step % Math.max(1, Object.keys(place).length)]
    if (inner === null || typeof inner !== 'object') break
    place = inner as Record<string, unknown>
  }
  const keys = Object.keys(place)
  if (keys.length > 0) place[keys[steps.at(-1)! % keys.length]!] = value
  return copy
}
