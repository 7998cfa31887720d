import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { check, commands, SdkError, type Static, Type } from '#model'
import { type Context, defineService, type Service } from '#node'
import { type FleetView, fleetView, type LocalStore, type OpenStore, openStore } from '#replication'
import { type Caller, type CommandJob, type CommandRequest, commander as contract, serve } from '#rpc'
import { sharedSignal } from '../sockets.js'
import { afterRestart, newJob, type Target } from './job.js'
import { type Journal, journal } from './journal.js'
import { type Running, type RunTools, run } from './run.js'

export const CommanderConfigSchema = Type.Object({}, { additionalProperties: false })
export type CommanderConfig = Static<typeof CommanderConfigSchema>

/** Jobs at work at once. */
const maxRunning = 32
/** Devices of one job. */
const maxTargets = 10_000
const defaultListed = 50
/** Its feed carries no samples; only jobs and their events. */
const intervalMs = 60_000
/** Followers hear of a job at most this often, ms. */
const tellMs = 250
const pulseMs = 1000

/**
 * Commands to many devices. Jobs are kept in its own store; every change of one is an event of type `command` with `jobId`, `state` and
 * `counts` in that feed, so whoever follows the feeds follows the jobs.
 */
export function commander(open: OpenStore = openStore): Service<typeof CommanderConfigSchema> {
  return defineService({
    kind: 'commander',
    config: CommanderConfigSchema,
    async start(context: Context<CommanderConfig>) {
      const { name, site, storage, clock, log, directory } = context
      const store = context.use(await open({ path: join(storage, 'feed'), worker: name, site, intervalMs, clock, log }))
      const fleet = context.use(fleetView(directory, { clock }))
      const book = journal(store)
      for (const job of await book.recover(clock)) log.warn({ job: job.id }, 'a command was cut off by a restart')
      const desk = openDesk(context, store, book, fleet)
      context.share(store)
      context.stats(() => ({ running: desk.running() }))
      context.provide(
        contract,
        serve(
          contract,
          {
            submit: ({ request, idempotencyKey }, { caller }) => desk.submit(request, idempotencyKey, caller),
            get: ({ id }) => desk.get(id),
            list: ({ limit }) => desk.list(limit ?? defaultListed),
            cancel: ({ id }, { caller }) => desk.cancel(id, caller),
          },
          { log },
        ),
      )
      context.every(pulseMs, () => context.alive())
    },
  })
}

function openDesk(context: Context, store: LocalStore, book: Journal, fleet: FleetView) {
  const { clock, site, log, directory } = context
  const signal = sharedSignal(context.signal)
  const running = new Map<string, Running>()
  const submitting = new Map<string, Promise<CommandJob>>()
  const tell = teller(context, store)
  const tools: RunTools = { directory, fleet, clock, signal, save: book.save, changed: tell }

  function targetsOf({ targets }: CommandRequest): Target[] {
    const found: Target[] =
      'ids' in targets
        ? [...new Set(targets.ids)].map((deviceId) => ({ deviceId, record: fleet.device(deviceId) }))
        : fleet.match(targets.filter).map((record) => ({ deviceId: record.id, record }))
    if (found.length > maxTargets) throw new SdkError('TOO_LARGE', `${found.length} devices, at most ${maxTargets}`)
    return 'ids' in targets
      ? found.map((target) => (target.record?.site === site ? target : { ...target, record: undefined }))
      : found.filter(({ record }) => record?.site === site)
  }

  async function begin(request: CommandRequest, caller: Caller, key: string | undefined): Promise<CommandJob> {
    if (running.size >= maxRunning) throw new SdkError('RATE_LIMITED', `${maxRunning} commands are under way already`)
    const job = newJob(newId(clock.now()), request, targetsOf(request), caller.id, clock.now())
    await book.save(job)
    if (key !== undefined) await book.saveKey(key, { jobId: job.id, request: digest(JSON.stringify(request)) })
    const { signal: _, ...who } = caller
    const one: Running = { job, request, caller: who, cancelling: new AbortController() }
    running.set(job.id, one)
    tell(job)
    void run(tools, one)
      .catch((error) => giveUp(one, error))
      .finally(() => running.delete(job.id))
    return snapshot(job)
  }

  /** The store failed: nothing more is sent, and who asks is told as much as is known. */
  async function giveUp(one: Running, error: unknown) {
    if (signal.aborted) return
    log.error({ err: error, job: one.job.id }, 'a command broke off')
    one.job = afterRestart(one.job, clock.now())
    await book.save(one.job).catch(() => {})
  }

  function submit(request: CommandRequest, idempotencyKey: string | undefined, caller: Caller): Promise<CommandJob> {
    check(commands[request.command].input, request.params ?? {}, `params of ${request.command}`)
    if (idempotencyKey === undefined) return begin(request, caller, undefined)
    const key = digest(`${caller.id}\n${idempotencyKey}`)
    const before = submitting.get(key) ?? Promise.resolve()
    const once = () => submitOnce(request, key, caller)
    const mine = before.then(once, once).finally(() => {
      if (submitting.get(key) === mine) submitting.delete(key)
    })
    submitting.set(key, mine)
    return mine
  }

  async function submitOnce(request: CommandRequest, key: string, caller: Caller): Promise<CommandJob> {
    const before = await book.keyed(key)
    if (!before) return begin(request, caller, key)
    if (before.request !== digest(JSON.stringify(request))) {
      throw new SdkError('CONFLICT', 'this idempotency key was used for another command')
    }
    return get(before.jobId)
  }

  async function get(id: string): Promise<CommandJob> {
    const job = running.get(id)?.job ?? (await book.get(id))
    if (!job) throw new SdkError('NOT_FOUND', `there is no command ${id}`)
    return snapshot(job)
  }

  return {
    submit,
    get,
    running: () => running.size,
    async list(limit: number) {
      const heads = await book.list(limit)
      return heads.map((head) => ({ ...(running.get(head.id)?.job ?? head), results: [] }))
    },
    async cancel(id: string, caller: Caller) {
      running.get(id)?.cancelling.abort(new SdkError('CANCELLED', `cancelled by ${caller.id}`))
      return get(id)
    },
  }
}

function snapshot(job: CommandJob): CommandJob {
  return { ...job, results: [...job.results] }
}

/** Tells the feed of changed jobs, each at most every `tellMs`, and its last state always. */
function teller(context: Context, store: LocalStore): (job: CommandJob) => void {
  const changed = new Map<string, CommandJob>()
  let armed = false
  const flush = async () => {
    const jobs = [...changed.values()]
    changed.clear()
    armed = false
    const at = context.clock.now()
    const events = jobs.map(({ id, command, state, counts, by, dryRun }) => ({
      at,
      type: 'command' as const,
      message: `${dryRun ? 'dry run of ' : ''}${command} by ${by}: ${describe(counts)}`,
      data: { jobId: id, command, state, counts, dryRun },
    }))
    if (context.signal.aborted) return
    await store.append({ at, records: [], events }).catch((error: unknown) => {
      context.log.warn({ err: error }, 'the change of a command could not be told')
    })
  }
  return (job) => {
    changed.set(job.id, job)
    if (armed) return
    armed = true
    context.clock.after(tellMs, () => void flush())
  }
}

function describe(counts: Record<string, number>): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0)
  return parts.length === 0 ? 'no device' : parts.map(([state, count]) => `${count} ${state}`).join(', ')
}

/** Sorts by time. */
function newId(now: number): string {
  return `${now.toString(36).padStart(9, '0')}-${randomBytes(5).toString('hex')}`
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
