import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Assertions } from 'brittle'
import { until } from '../support/fake-clock.js'

export interface Program {
  readonly child: ChildProcess
  /** Resolves when the line was printed. */
  line(text: string): Promise<void>
  /** Resolves when the process has ended. */
  end(): Promise<{ code: number | null; signal: string | null; out: string; err: string }>
}

/** A machine that has much else to do takes its time to start a process. */
const startMs = 150_000

/** Runs programs/<name>.ts as a process of its own, with a standard input if asked for; it is killed after the test if it is still there. */
export function run(t: Assertions, name: string, args: readonly string[], input = false): Program {
  const file = fileURLToPath(new URL(`./programs/${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', '--no-warnings', file, ...args], {
    stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close') as Promise<[number | null, string | null]>
  let out = ''
  let err = ''
  child.stdout!.on('data', (chunk) => {
    out += chunk
  })
  child.stderr!.on('data', (chunk) => {
    err += chunk
  })
  const kill = () => void child.kill('SIGKILL')
  // A test that ends by an error never comes to its teardown.
  process.once('exit', kill)
  child.once('close', () => process.off('exit', kill))
  t.teardown(kill)
  return {
    child,
    line: (text) => until(() => out.split('\n').includes(text), `${name} prints ${text}\n${err}`, startMs),
    async end() {
      const [code, signal] = await ended
      return { code, signal, out, err }
    },
  }
}
