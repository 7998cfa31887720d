import { fileURLToPath } from 'node:url'
import { childProcess, type Placement } from '#node'

/** A placement whose service is the process programs/child.ts. */
export function supervised(
  name: string,
  storage: string,
  deed: string,
  { maxMemoryBytes = 2 ** 40, lines = [] as string[] } = {},
): Placement {
  const file = fileURLToPath(new URL('./programs/child.ts', import.meta.url))
  const service = childProcess({
    command: process.execPath,
    args: ['--conditions=source', '--import', 'tsx', '--no-warnings', file, storage, deed],
    env: process.env,
    maxMemoryBytes,
    write: (line, from) => lines.push(`${from}: ${line}`),
  })
  return { name, service, config: {} }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
