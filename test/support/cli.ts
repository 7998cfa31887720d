import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'

/** The built command: `npm test` builds it first. */
export const cliArgs = [resolve('dist/src/cli/main.js')]

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface CliOptions {
  readonly cwd: string
  readonly env?: Record<string, string>
  readonly stdin?: string
  /** What runs the command, such as `ip netns exec <namespace>`. */
  readonly within?: readonly string[]
}

export interface Running {
  readonly child: ChildProcess
  /** Resolves when the text has appeared on stdout or stderr; rejects when the process ends before. */
  saw(text: RegExp): Promise<RegExpMatchArray>
  readonly ended: Promise<Ended>
  /** Ends it and waits until it is gone: a folder it still writes into cannot be removed. */
  kill(signal?: NodeJS.Signals): Promise<Ended>
}

/** The command as a user calls it, in a process of its own, in a folder of its own. */
export function startCli(args: readonly string[], options: CliOptions): Running {
  const [command, ...rest] = [...(options.within ?? []), process.execPath, ...cliArgs, ...args] as [string, ...string[]]
  const child = spawn(command, rest, {
    cwd: options.cwd,
    env: { ...bareEnvironment(), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin!.end(options.stdin ?? '')
  let stdout = ''
  let stderr = ''
  const waiting = new Set<() => void>()
  const note = () => {
    for (const look of waiting) look()
  }
  child.stdout!.on('data', (chunk) => {
    stdout += chunk
    note()
  })
  child.stderr!.on('data', (chunk) => {
    stderr += chunk
    note()
  })
  const ended = new Promise<Ended>((done) => child.once('close', (code) => done({ code, stdout, stderr })))
  return {
    child,
    ended,
    kill: (signal = 'SIGKILL') => {
      child.kill(signal)
      return ended
    },
    saw: (text) =>
      new Promise((done, failed) => {
        const look = () => {
          const match = (stdout + stderr).match(text)
          if (!match) return
          waiting.delete(look)
          done(match)
        }
        waiting.add(look)
        ended.then(() => failed(new Error(`ended before ${text} appeared:\n${stdout}${stderr}`)))
        look()
      }),
  }
}

export function cli(args: readonly string[], options: CliOptions): Promise<Ended> {
  return startCli(args, options).ended
}

/** Without what the machine's own environment may say about a site. */
function bareEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MININGSDK_')))
}
