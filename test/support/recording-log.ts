import type { Log } from '#model'

export interface Line {
  level: 'debug' | 'info' | 'warn' | 'error'
  facts: Record<string, unknown>
  message: string
}

/** A log that keeps its lines for the test. */
export function recordingLog(): Log & { lines: Line[] } {
  const lines: Line[] = []
  const make = (base: object): Log => {
    const writer = (level: Line['level']) => (facts: object, message: string) =>
      void lines.push({ level, facts: { ...base, ...facts }, message })
    return {
      debug: writer('debug'),
      info: writer('info'),
      warn: writer('warn'),
      error: writer('error'),
      child: (facts) => make({ ...base, ...facts }),
    }
  }
  return Object.assign(make({}), { lines })
}
