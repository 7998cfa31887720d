import { type ChildProcess, fork } from 'node:child_process'
import { resolve } from 'node:path'

/** One of the programs beside the benchmarks, in a process of its own. */
export interface Helper {
  /** Sends an order and waits for its answer; one at a time. */
  ask<T>(order: object): Promise<T>
  close(): void
}

export function helper(program: 'worker' | 'bare'): Helper {
  const child = fork(resolve(`bench/${program}.js`), { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  return {
    ask: <T>(order: object) =>
      new Promise<T>((done, failed) => {
        const ended = (code: number | null) => failed(new Error(`${program} ended (exit ${code})`))
        child.once('exit', ended)
        child.once('message', ({ answer, error }: { answer?: T; error?: string }) => {
          child.off('exit', ended)
          if (error === undefined) done(answer as T)
          else failed(new Error(error))
        })
        child.send(order)
      }),
    close: () => {
      if (child.connected) child.disconnect()
    },
  }
}

export interface Target {
  host: string
  port: number
  ports?: Record<string, number>
  library: string
  username?: string
  password?: string
}

/** Simulated miners by `miningsdk simulate`, in a process of their own. */
export async function simulate(options: readonly string[]): Promise<{ targets: Target[]; child: ChildProcess }> {
  const child = fork(resolve('dist/src/cli/main.js'), ['simulate', ...options], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const targets = await new Promise<Target[]>((done, failed) => {
    child.once('exit', (code) => failed(new Error(`the simulators ended (exit ${code})`)))
    child.on(
      'message',
      (message: { type: string; devices: Target[] }) => message.type === 'devices' && done(message.devices),
    )
  })
  return { targets, child }
}

/** The services that poll the targets: a worker for each library. */
export function workersOf(targets: readonly Target[], config: object) {
  const libraries = [...new Set(targets.map(({ library }) => library))]
  return libraries.map((lib) => ({
    name: lib,
    config: {
      lib,
      ...config,
      devices: targets
        .filter(({ library }) => library === lib)
        .map(({ host, port, ports, username, password }) => ({
          host,
          port,
          ...(ports ? { ports } : {}),
          ...(username === undefined ? {} : { username }),
          ...(password === undefined ? {} : { password }),
          simulated: true,
        })),
    },
  }))
}
