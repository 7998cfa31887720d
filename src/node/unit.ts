import { type Clock, errorInfo, type Log, SdkError } from '#model'
import type { ServiceHealth } from '#rpc'
import { type Owner, runAs } from './attribution.js'
import { type Deferred, deferred } from './deferred.js'
import { watchHeartbeat } from './heartbeat.js'
import { createScope, isAbort, type OwnedScope } from './scope.js'
import type { SupervisorLimits } from './service.js'
import { version } from './version.js'

/** One run of a service, from its start to its end. */
export interface Run {
  readonly scope: OwnedScope
  readonly owner: Owner
  alive(): void
  ready(reason: string | null): void
  stats(read: () => Record<string, number>): void
}

export interface UnitOptions {
  readonly name: string
  readonly kind: string
  readonly site: string
  readonly start: (run: Run) => void | Promise<void>
  readonly clock: Clock
  /** 0 to 1. */
  readonly random: () => number
  readonly log: Log
  readonly limits: SupervisorLimits
}

/** One service under supervision: a fresh scope for each run, and a new run when one breaks. */
export interface Unit {
  readonly name: string
  readonly kind: string
  /** Begins; resolves when the first start has ended, well or not. */
  start(): Promise<void>
  /** Ends the present run and begins the next at once, past failures forgotten. Rejects with what broke the start. */
  restart(): Promise<void>
  /** Ends it for good; answers whether it took longer than it may. */
  stop(withinMs: number): Promise<{ late: boolean }>
  health(): ServiceHealth
}

/** Why a run is over: somebody asked, or an error. */
type Outcome = { readonly asked: true } | { readonly error: unknown; readonly hung?: boolean }

interface CurrentRun extends Run {
  /** The first outcome counts. */
  readonly over: Deferred<Outcome>
  readonly started: Deferred<void>
  heartbeatAt: number | null
  reason: string | null
  readStats: () => Record<string, number>
}

const maxErrorLength = 500

export function createUnit({ name, kind, site, start, clock, random, log, limits }: UnitOptions): Unit {
  let state: ServiceHealth['state'] = 'starting'
  let since = clock.now()
  let run: CurrentRun | undefined
  let count = 0
  let failures = 0
  let lastError: string | null = null
  let retryAt: number | null = null
  let hurry = deferred<void>()
  let stopWithinMs: number | undefined
  let late = false
  let life: Promise<void> | undefined
  let nextStart = deferred<void>()

  const enter = (next: ServiceHealth['state']) => {
    state = next
    since = clock.now()
  }
  const stopped = () => stopWithinMs !== undefined

  /** The whole life: run after run until it is stopped. */
  const live = async () => {
    while (!stopped()) {
      count++
      hurry = deferred<void>()
      run = open()
      await launch(run)
      const outcome = await run.over.promise
      if ('asked' in outcome) {
        run.started.reject(new SdkError('CANCELLED', `${name} was stopped while it started`))
        enter('stopping')
        await close(run, stopWithinMs ?? limits.endMs)
        continue
      }
      blame(outcome)
      run.started.reject(outcome.error)
      await close(run, limits.endMs)
      if (state === 'hung') enter(verdict())
      await pause()
    }
    enter('stopped')
  }

  const open = (): CurrentRun => {
    const over = deferred<Outcome>()
    const owner: Owner = { name, fail: (error) => blameRun(opened, error) }
    const scope = createScope({ clock, onError: owner.fail })
    const heartbeat = watchHeartbeat(clock, limits.livenessMs, scope.signal, (silentMs) => {
      over.resolve({ error: new SdkError('TIMEOUT', `gave no sign of life for ${silentMs} ms`), hung: true })
    })
    const started = nextStart
    nextStart = deferred<void>()
    const opened: CurrentRun = {
      started,
      scope,
      owner,
      over,
      heartbeatAt: null,
      reason: null,
      readStats: () => ({}),
      alive() {
        heartbeat()
        opened.heartbeatAt = clock.now()
      },
      ready(reason) {
        opened.reason = reason
      },
      stats(read) {
        opened.readStats = read
      },
    }
    return opened
  }

  /** Resolves when the start has ended, in whichever way; one that fails or takes too long makes the run be over. */
  const launch = async (launched: CurrentRun): Promise<void> => {
    const { scope, owner, over, started } = launched
    enter('starting')
    retryAt = null
    const tooLong = new SdkError('TIMEOUT', `did not start within ${limits.startMs} ms`)
    const stopTimer = clock.after(limits.startMs, () => over.resolve({ error: tooLong }))
    const starting = Promise.resolve()
      .then(() => runAs(owner, () => start(launched)))
      .then(
        () => true,
        (error) => {
          // Also when the run was given up meanwhile: told, not lost.
          owner.fail(error)
          return false
        },
      )
    const runs = await Promise.race([starting, over.promise.then(() => false)])
    stopTimer()
    if (!runs) return
    enter('running')
    log.info({ run: count }, 'runs')
    const stopCalm = clock.after(limits.healthyMs, () => {
      failures = 0
    })
    scope.signal.addEventListener('abort', stopCalm, { once: true })
    started.resolve()
  }

  const blameRun = (blamed: CurrentRun, error: unknown) => {
    if (blamed === run && !blamed.scope.signal.aborted) blamed.over.resolve({ error })
    else if (!isAbort(error, blamed.scope.signal)) log.warn({ err: error }, 'an error of a run that is over')
  }

  const verdict = () => (failures >= limits.failuresToFail ? 'failed' : 'waiting')

  /** Notes the failure and when the next run begins. */
  const blame = ({ error, hung = false }: { error: unknown; hung?: boolean }) => {
    failures++
    lastError = describe(error)
    const failed = verdict() === 'failed'
    const backoffMs = Math.min(limits.backoffMs * 2 ** (failures - 1), limits.maxBackoffMs)
    // Half fixed, half by chance: services that broke together do not come back together.
    const waitMs = failed ? limits.failedRetryMs : Math.round(backoffMs * (0.5 + random() / 2))
    retryAt = clock.now() + waitMs
    enter(hung ? 'hung' : verdict())
    const facts = { err: error, failures, retryInMs: waitMs }
    if (failed) log.error(facts, 'has failed; it is tried again, but rarely')
    else log.error(facts, hung ? 'hangs and is started anew' : 'broke and is started anew')
  }

  const close = async ({ scope, owner }: CurrentRun, withinMs: number) => {
    const reason = new SdkError('UNAVAILABLE', `${name} ${stopped() ? 'is stopping' : 'is started anew'}`)
    // As the owner: what its abort listeners and closers throw is its own.
    const ending = await runAs(owner, () => scope.endWithin(withinMs, reason))
    for (const error of ending.errors) log.warn({ err: error }, 'something did not close well')
    late = ending.late
    if (!late) return
    lastError =
      `TIMEOUT: did not end within ${withinMs} ms and was abandoned${lastError ? `; before: ${lastError}` : ''}`.slice(
        0,
        maxErrorLength,
      )
    log.error({ withinMs }, 'did not end in time and was abandoned')
  }

  /** Until `retryAt`, or until somebody asks for the next run or the end. */
  const pause = async () => {
    const stopTimer = clock.after(Math.max(0, (retryAt ?? 0) - clock.now()), hurry.resolve)
    if (!stopped()) await hurry.promise
    stopTimer()
  }

  const interrupt = () => {
    run?.over.resolve({ asked: true })
    hurry.resolve()
  }

  const whyNot = (): string | null => {
    if (state === 'running') return run?.reason ?? null
    if (state === 'waiting' || state === 'hung') return `${state === 'hung' ? 'hangs' : 'broke'}: ${lastError}`
    if (state === 'failed') return `failed ${failures} times in a row: ${lastError}`
    return `is ${state}`
  }

  return {
    name,
    kind,
    start() {
      const first = nextStart.promise
      life ??= live()
      return first.catch(() => {})
    },
    restart() {
      if (!life || stopped()) return Promise.reject(new SdkError('UNAVAILABLE', `${name} is not running`))
      failures = 0
      const next = nextStart.promise
      interrupt()
      return next
    },
    async stop(withinMs) {
      stopWithinMs ??= withinMs
      if (!life) enter('stopped')
      interrupt()
      const deadline = deferred<void>()
      const stopTimer = clock.after(withinMs, deadline.resolve)
      const ended = await Promise.race([
        (life ?? Promise.resolve()).then(() => true),
        deadline.promise.then(() => false),
      ])
      stopTimer()
      return { late: late || !ended }
    },
    health: () => ({
      name,
      kind,
      site,
      state,
      ready: state === 'running' && run?.reason === null,
      reason: whyNot(),
      since,
      restarts: Math.max(0, count - 1),
      lastError,
      retryAt,
      heartbeatAt: run?.heartbeatAt ?? null,
      pid: process.pid,
      version,
      stats: run && state === 'running' ? numbersOf(run.readStats, log) : {},
    }),
  }
}

function describe(error: unknown): string {
  const { code, message } = errorInfo(error)
  return `${code}: ${message}`.slice(0, maxErrorLength)
}

/** What a service tells about itself; a fault in the telling is not worth a restart. */
function numbersOf(read: () => Record<string, number>, log: Log): Record<string, number> {
  try {
    return Object.fromEntries(Object.entries(read()).filter(([, value]) => Number.isFinite(value)))
  } catch (error) {
    log.warn({ err: error }, 'could not tell its figures')
    return {}
  }
}
