import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Assertions } from 'brittle'
import { cli, type Running, startCli } from '../support/cli.js'

const asker = fileURLToPath(new URL('./programs/asker.ts', import.meta.url))

/** A folder with a node of the product, in a network namespace of its own. */
export interface Place {
  readonly cwd: string
  /** Runs a command of the product to its end; answers what it printed, throws what it complained of. */
  run(...args: string[]): Promise<string>
  /** One that goes on running; the test ends it. */
  start(...args: string[]): Running
  /** Of the HTTP face of the node that runs here; null while there is none. With a body it is a POST. */
  ask<T>(path: string, body?: unknown): Promise<T | null>
}

export async function placeIn(t: Assertions, namespace: string, config?: object): Promise<Place> {
  const cwd = await t.tmp()
  if (config) writeFileSync(join(cwd, 'miningsdk.config.json'), JSON.stringify(config))
  const within = ['ip', 'netns', 'exec', namespace]
  const options = { cwd, within, env: { MININGSDK_LOG_LEVEL: 'error' } }
  let ask: Place['ask'] | undefined
  return {
    cwd,
    async run(...args) {
      const { code, stdout, stderr } = await cli(args, options)
      if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
      return stdout.trim()
    },
    start(...args) {
      const running = startCli(args, options)
      t.teardown(() => running.kill(), { order: 1 })
      return running
    },
    ask(path, body) {
      ask ??= askerIn(t, within, cwd)
      return ask(path, body)
    },
  }
}

/** Loopback is another one in each namespace, so someone has to ask from within. */
function askerIn(t: Assertions, [command, ...within]: string[], cwd: string): Place['ask'] {
  const node = [process.execPath, '--import', 'tsx', '--no-warnings', asker, cwd]
  const child = spawn(command!, [...within, ...node], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'), { order: 1 })
  const waiting: ((answer: never) => void)[] = []
  createInterface({ input: child.stdout! }).on('line', (line) => waiting.shift()?.(JSON.parse(line) as never))
  return (path, body) =>
    new Promise((resolve) => {
      waiting.push(resolve)
      child.stdin!.write(`${JSON.stringify({ path, ...(body === undefined ? {} : { body }) })}\n`)
    })
}
