import type { Key } from '#keys'
import { type Clock, SdkError } from '#model'
import type { Reader } from '#replication'
import {
  type Caller,
  type Contract,
  client,
  type Endpoint,
  guard,
  local,
  type Methods,
  mayAt,
  mayCall,
  type Transport,
} from '#rpc'
import { type Owner, runAs } from './attribution.js'
import type { Directory } from './service.js'

type Found<M extends Methods> = ReturnType<typeof foundOf<M>>

interface Answer {
  readonly contract: string
  readonly service: string
  readonly endpoint: Endpoint
  /** Aborts when the service ends: its open calls end with it. */
  readonly signal: AbortSignal
}

/** Who sees the directory: its calls go out in the caller's name, its listeners' errors go to the owner, and all ends with the signal. */
interface Viewer {
  readonly caller: Caller
  readonly owner: Owner
  readonly signal: AbortSignal
}

/** A service of another node that answers a contract. */
export interface RemoteAnswer {
  readonly contract: string
  readonly service: string
  readonly site: string
  readonly node: Key
  /** Its history, as far as it is followed here. */
  readonly reader: Reader | undefined
  readonly transport: Transport
}

/** What other nodes answer and share, as far as this one knows. `watch` tells when that changes. */
export interface RemoteSource {
  answers(): readonly RemoteAnswer[]
  readers(): readonly Reader[]
  watch(listener: () => void): () => void
}

/** What a service of this node answers. */
export interface OwnAnswer {
  readonly contract: string
  readonly service: string
}

/** Everything that the services of this process answer and share, and what it knows of other nodes. */
export interface Registry {
  /** Until the signal aborts. Guarded by the callers' scope and this site; runs as the owner, whoever calls. */
  provide(contract: Contract, endpoint: Endpoint, owner: Owner, signal: AbortSignal): void
  share(reader: Reader, signal: AbortSignal): void
  /** From now on, until the signal aborts, the directory also knows these nodes. */
  join(source: RemoteSource, signal: AbortSignal): void
  /** The guarded endpoint, for callers from elsewhere; undefined: nobody answers it here now. */
  resolve(contract: string, service: string): Endpoint | undefined
  /** What is answered and shared in this process. */
  own(): { answers: readonly OwnAnswer[]; readers: readonly Reader[] }
  /** Called when anything of this comes or goes, until the signal aborts. */
  watch(listener: () => void, signal: AbortSignal): void
  as(viewer: Viewer): Directory
}

/** A service that subscribes in a loop is a fault, not a load. */
const maxListeners = 1000

export function createRegistry({ site, clock }: { site: string; clock: Clock }): Registry {
  const answers = new Map<string, Answer>()
  let readers: readonly Reader[] = []
  let elsewhere: RemoteSource | undefined
  const listeners = new Set<() => void>()
  let version = 0
  let all: readonly Reader[] | undefined
  /** The same list until something changes: who follows it can tell by that. */
  const allReaders = () => {
    all ??= elsewhere ? [...readers, ...elsewhere.readers()] : readers
    return all
  }

  const changed = () => {
    version++
    all = undefined
    for (const listener of [...listeners]) listener()
  }

  const provide: Registry['provide'] = (contract, endpoint, owner, signal) => {
    const guarded = guard(contract, endpoint, contract.fleetWide ? mayCall : mayAt(site))
    const key = keyOf(contract.name, owner.name)
    const answer: Answer = {
      contract: contract.name,
      service: owner.name,
      endpoint: (request, caller) => runAs(owner, () => guarded(request, caller)),
      signal,
    }
    // The last one counts: a service that is started anew answers in place of the run before it.
    answers.set(key, answer)
    onAbort(signal, () => {
      if (answers.get(key) !== answer) return
      answers.delete(key)
      changed()
    })
    changed()
  }

  const share: Registry['share'] = (reader, signal) => {
    readers = [...readers, reader]
    onAbort(signal, () => {
      readers = readers.filter((other) => other !== reader)
      changed()
    })
    changed()
  }

  const join: Registry['join'] = (source, signal) => {
    elsewhere = source
    const stop = source.watch(changed)
    onAbort(signal, () => {
      stop()
      if (elsewhere === source) elsewhere = undefined
      changed()
    })
    changed()
  }

  /** The service is looked up at each call, so that a client outlives restarts of who it talks to. */
  const transportTo = (contract: string, service: string, caller: Caller): Transport => {
    const key = keyOf(contract, service)
    return (request, options) => {
      const answer = answers.get(key)
      if (!answer) return Promise.reject(new SdkError('UNAVAILABLE', `${service} does not answer ${contract} now`))
      return local(answer.endpoint, caller, { clock, signal: answer.signal })(request, options)
    }
  }

  const as: Registry['as'] = ({ caller, owner, signal }) => {
    const cache = new Map<string, { version: number; found: readonly Found<Methods>[] }>()
    const find = (contract: Contract): readonly Found<Methods>[] => {
      const cached = cache.get(contract.name)
      if (cached?.version === version) return cached.found
      const found = [...answers.values()]
        .filter((answer) => answer.contract === contract.name)
        .sort((a, b) => (a.service < b.service ? -1 : 1))
        .map(({ service }) => {
          const reader = readers.find(({ worker }) => worker === service)
          return foundOf(contract, {
            service,
            site,
            node: null,
            reader,
            transport: transportTo(contract.name, service, caller),
          })
        })
      const remote = (elsewhere?.answers() ?? [])
        .filter((answer) => answer.contract === contract.name)
        .map((answer) => foundOf(contract, { ...answer, transport: inNameOf(caller, answer.transport) }))
      const both = [...found, ...remote]
      cache.set(contract.name, { version, found: both })
      return both
    }
    return {
      find: find as Directory['find'],
      readers: allReaders,
      watch(listener) {
        if (listeners.size >= maxListeners) throw new RangeError(`more than ${maxListeners} listeners`)
        const call = () =>
          runAs(owner, () => {
            try {
              listener()
            } catch (error) {
              owner.fail(error)
            }
          })
        listeners.add(call)
        const forget = onAbort(signal, () => void listeners.delete(call))
        return () => {
          listeners.delete(call)
          forget()
        }
      },
    }
  }

  return {
    provide,
    share,
    join,
    resolve: (contract, service) => answers.get(keyOf(contract, service))?.endpoint,
    own: () => ({ answers: [...answers.values()], readers }),
    watch(listener, signal) {
      listeners.add(listener)
      onAbort(signal, () => void listeners.delete(listener))
    },
    as,
  }
}

function foundOf<M extends Methods>(
  contract: Contract<M>,
  { service, site, node, reader, transport }: Omit<RemoteAnswer, 'contract' | 'node'> & { node: Key | null },
) {
  return { service, site, node, reader, transport, client: client(contract, transport) }
}

/** A call that names no caller goes out in the name of the service that makes it. */
function inNameOf(caller: Caller, transport: Transport): Transport {
  return (request, options) => transport(request, { caller, ...options })
}

const keyOf = (contract: string, service: string) => `${contract} ${service}`

/** Answers how to call it off. */
function onAbort(signal: AbortSignal, call: () => void): () => void {
  if (signal.aborted) call()
  else signal.addEventListener('abort', call, { once: true })
  return () => signal.removeEventListener('abort', call)
}
