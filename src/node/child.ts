import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type Log, SdkError, sleep, Type } from '#model'
import { channelTransport, client, nodeContract, type ServiceHealth } from '#rpc'
import { type Context, defineService, type Service } from './service.js'

export interface ChildOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** More than this and it is started anew, bytes. */
  readonly maxMemoryBytes: number
  /** A line that the process wrote, as it came. */
  readonly write: (line: string, name: string) => void
}

/** A process that works answers at once; one that is asked gets this long. */
const answerMs = 1_500
/** How often a running process is asked, and a starting one. */
const askMs = 1_000
const startAskMs = 100
/** A process that was silent for so long would not hear that it should end: it is killed. */
const hungMs = 1_800
/** A process that is told to end may take so long before it is killed. */
const endMs = 8_000

/**
 * A process of this program as a service: what the supervisor does for services (back-off, liveness, `failed`) it does for processes.
 * The process ends with its parent, however that ends, for its channel to the parent closes. Its start is over when
 * its own services have started.
 */
export function childProcess(options: ChildOptions): Service {
  return defineService({
    kind: 'process',
    config: Type.Object({}, { additionalProperties: false }),
    async start(context: Context) {
      const { name, clock, log, signal } = context
      const child = launch(options)
      let memoryBytes = 0
      let answeredAt = clock.hr()
      let starting = true
      context.defer(() => end(child, clock.hr() - answeredAt > hungMs, log))
      for (const stream of [child.stdout, child.stderr])
        createInterface({ input: stream! }).on('line', (line) => options.write(line, name))
      const gone = failure(child)
      const node = client(nodeContract, channelTransport(child, clock)(nodeContract.name, 'node'), {
        timeoutMs: answerMs,
        signal,
      })
      const ask = async () => {
        const [described, services] = await Promise.all([node.describe({}), node.services({})])
        memoryBytes = described.memoryBytes
        answeredAt = clock.hr()
        context.alive()
        context.ready(unready(services))
        starting = services.some(({ state }) => state === 'starting')
        if (memoryBytes > options.maxMemoryBytes)
          throw new SdkError(
            'TOO_LARGE',
            `uses ${megabytes(memoryBytes)} MB, at most ${megabytes(options.maxMemoryBytes)} MB`,
          )
      }
      context.stats(() => ({ memoryBytes, pid: child.pid ?? 0 }))
      // One answer that does not come is no failure: the heartbeat finds the process that stays silent.
      const askOnce = () =>
        ask().catch((error: unknown) => {
          if (isTooLarge(error)) throw error
        })
      const started = async () => {
        while (starting) {
          await askOnce()
          if (starting) await sleep(clock, startAskMs, signal)
        }
      }
      await Promise.race([gone, started()])
      const askAgain = async () => {
        await sleep(clock, askMs, signal)
        await askOnce()
      }
      context.every(0, () => Promise.race([gone, askAgain()]))
    },
  })
}

function launch({ command, args, env }: ChildOptions): ChildProcess {
  return spawn(command, args, {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
    // A terminal's Ctrl-C reaches the parent alone, which ends its children in order.
    detached: true,
  })
}

/** Rejects when the process ends or cannot be started; never resolves. */
function failure(child: ChildProcess): Promise<never> {
  const gone = new Promise<never>((_, reject) => {
    child.once('error', (error) => reject(new SdkError('UNAVAILABLE', `cannot be started: ${error.message}`)))
    child.once('exit', (code, killed) =>
      reject(new SdkError('UNAVAILABLE', killed ? `was ended by ${killed}` : `ended with exit code ${code}`)),
    )
  })
  gone.catch(() => {})
  return gone
}

function unready(services: readonly ServiceHealth[]): string | null {
  const waiting = services.find(({ ready }) => !ready)
  return waiting ? `${waiting.name}: ${waiting.reason ?? waiting.state}` : null
}

function isTooLarge(error: unknown): boolean {
  return error instanceof SdkError && error.code === 'TOO_LARGE'
}

async function end(child: ChildProcess, hangs: boolean, log: Log): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const exit = once(child, 'exit')
  child.kill(hangs ? 'SIGKILL' : 'SIGTERM')
  const timer = setTimeout(() => {
    log.warn({ pid: child.pid }, 'did not end in time and is killed')
    child.kill('SIGKILL')
  }, endMs)
  await exit
  clearTimeout(timer)
}

const megabytes = (bytes: number) => Math.round(bytes / 1_048_576)
