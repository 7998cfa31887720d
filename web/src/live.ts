import type { CommandJob } from '#rpc'
import { backoff } from './backoff.js'
import { type Client, ClientError } from './client.js'
import { type Store, withJob } from './store.js'

/**
 * Keeps the store up to date until the signal aborts: reads everything once, then follows the stream; when the link breaks, what is there
 * stays, and it connects again with back-off. `onSignedOut` is called when the session has ended.
 */
export async function follow(
  client: Client,
  store: Store,
  signal: AbortSignal,
  onSignedOut: () => void,
): Promise<void> {
  let attempt = 0
  while (!signal.aborted) {
    try {
      await connect(client, store, signal, () => {
        attempt = 0
      })
    } catch (error) {
      if (error instanceof ClientError && error.status === 401) return onSignedOut()
    }
    if (signal.aborted) return
    const waitMs = backoff(attempt++, Math.random())
    store.link.set({ state: 'lost', retryAt: Date.now() + waitMs })
    await pause(waitMs, signal)
  }
}

/** One life of the stream. The full read starts once the stream is open, so that nothing falls between the two. */
async function connect(client: Client, store: Store, signal: AbortSignal, onOpen: () => void): Promise<void> {
  const broken = new AbortController()
  const either = AbortSignal.any([signal, broken.signal])
  let failure: unknown
  let reading = false
  const removed = new Set<string>()
  const readAgain = () => {
    if (reading) return
    reading = true
    void readAll(client, store, removed, either)
      .catch((error: unknown) => {
        failure = error
        broken.abort()
      })
      .finally(() => {
        reading = false
      })
  }
  await client.stream(
    {
      open() {
        onOpen()
        store.link.set({ state: 'live', retryAt: null })
        readAgain()
      },
      devices(change) {
        for (const id of change.removed) removed.add(id)
        for (const { id } of change.records) removed.delete(id)
        store.devices.apply(change)
      },
      fleet: (fleet) => store.fleet.set(fleet),
      jobs: (jobs) => store.jobs.set(jobs.reduce<readonly CommandJob[]>(withJob, store.jobs.value)),
      reset: readAgain,
    },
    either,
  )
  if (failure) throw failure
}

async function readAll(client: Client, store: Store, removed: Set<string>, signal: AbortSignal): Promise<void> {
  removed.clear()
  const before = new Set(store.devices.byId.keys())
  const [fleet] = await Promise.all([
    client.fleet(),
    client.commands().then((jobs) => store.jobs.set(jobs.reduce<readonly CommandJob[]>(withJob, store.jobs.value))),
  ])
  store.fleet.set(fleet)
  const seen = new Set<string>()
  let cursor: string | null = null
  do {
    const page = await client.devices(cursor)
    if (signal.aborted) return
    for (const { id } of page.data) seen.add(id)
    store.devices.apply({ records: page.data.filter(({ id }) => !removed.has(id)) })
    cursor = page.nextCursor
  } while (cursor !== null)
  for (const id of store.devices.byId.keys()) if (!before.has(id)) seen.add(id)
  for (const id of removed) seen.delete(id)
  store.devices.keepOnly(seen)
  store.loaded.set(true)
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
