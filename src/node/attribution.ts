import { AsyncLocalStorage } from 'node:async_hooks'
import { inspect } from 'node:util'
import type { Log } from '#model'

/** Who answers for the errors of what it set in motion. */
export interface Owner {
  readonly name: string
  fail(error: unknown): void
}

const running = new AsyncLocalStorage<Owner>()

/** Everything that the call starts, now and later, belongs to the owner: timers, sockets, promises nobody waits for. */
export function runAs<T>(owner: Owner, call: () => T): T {
  return running.run(owner, call)
}

/** What stands behind the process while errors may be nobody's. */
interface Resident {
  readonly log: Log
  close(): Promise<unknown>
}

/** Whoever read our output may go away (`| head`, a closed terminal): a node goes on, says goodbye to nobody, and writes about it nowhere. */
const outputs = [process.stdout, process.stderr]
const ignore = () => {}

const residents = new Set<Resident>()
let leaving = false

/**
 * Takes over the process's uncaught errors until the answered function is called. An error of a service goes to that service. One that
 * belongs to none leaves the process in an unknown state: it is logged, every node in it closes, and it ends with code 1.
 */
export function watchStrays(resident: Resident): () => void {
  if (residents.size === 0) {
    for (const stream of outputs) if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore)
    process.on('uncaughtException', onStray)
    process.on('unhandledRejection', onStray)
  }
  residents.add(resident)
  return () => {
    if (!residents.delete(resident) || residents.size > 0 || leaving) return
    process.off('uncaughtException', onStray)
    process.off('unhandledRejection', onStray)
  }
}

function onStray(error: unknown): void {
  const owner = running.getStore()
  if (owner) {
    owner.fail(error)
    return
  }
  // As Node itself would: a process does not end without saying why, whatever log it was given.
  process.stderr.write(`${error instanceof Error ? error.stack : inspect(error)}\n`)
  for (const { log } of residents)
    log.error({ err: error }, 'an error that belongs to no service: the process closes and ends')
  if (leaving) return
  leaving = true
  Promise.allSettled([...residents].map((resident) => resident.close())).finally(() => process.exit(1))
}
