/** One JSON line a result: name, figures, goals, and whether all goals are met. */
export function report(
  name: string,
  figures: Record<string, number | string>,
  goals: Record<string, { value: number; goal: number; atMost?: boolean }> = {},
) {
  const judged = Object.fromEntries(
    Object.entries(goals).map(([key, { value, goal, atMost = true }]) => [
      key,
      { value: round(value), goal: `${atMost ? '<=' : '>='} ${goal}`, pass: atMost ? value <= goal : value >= goal },
    ]),
  )
  const pass = Object.values(judged).every((each) => each.pass)
  console.log(
    JSON.stringify({
      name,
      ...Object.fromEntries(
        Object.entries(figures).map(([key, value]) => [key, typeof value === 'number' ? round(value) : value]),
      ),
      goals: judged,
      pass,
    }),
  )
  if (!pass) process.exitCode = 1
}

export function round(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
