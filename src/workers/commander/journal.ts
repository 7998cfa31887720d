import type { Clock } from '#model'
import type { LocalStore } from '#replication'
import type { CommandJob, CommandResult } from '#rpc'
import { afterRestart } from './job.js'

/** The jobs on the disk: a head and its results in parts, so that one result does not rewrite ten thousand. */
export interface Journal {
  /** Writes the head and the parts with these results (by index; absent: all); resolves when it is durable. */
  save(job: CommandJob, changed?: Iterable<number>): Promise<void>
  get(id: string): Promise<CommandJob | undefined>
  /** Heads, newest first. */
  list(limit: number): Promise<CommandJob[]>
  /** The id of the job that this key made, and what it asked for. */
  keyed(key: string): Promise<Keyed | undefined>
  saveKey(key: string, keyed: Keyed): Promise<void>
  /** Jobs that ran when the commander stopped, brought to their end. */
  recover(clock: Clock): Promise<CommandJob[]>
}

export interface Keyed {
  readonly jobId: string
  /** Digest of the request. */
  readonly request: string
}

const resultsInPart = 100
/** Longer results of a device are not kept. */
const maxResultLength = 4096
/** Only the newest jobs can have been running. */
const recoverLimit = 200

export function journal(store: LocalStore): Journal {
  const headName = (id: string) => `job/${id}`
  const partName = (id: string, part: number) => `result/${id}/${String(part).padStart(4, '0')}`

  async function get(id: string): Promise<CommandJob | undefined> {
    const head = await store.getDocument<CommandJob>(headName(id))
    if (!head) return undefined
    const parts = await store.listDocuments<CommandResult[]>(`result/${id}/`)
    return { ...head, results: parts.flatMap(({ value }) => value) }
  }

  async function save(job: CommandJob, changed?: Iterable<number>) {
    const last = Math.ceil(job.results.length / resultsInPart)
    const parts = changed
      ? new Set([...changed].map((index) => Math.floor(index / resultsInPart)))
      : Array.from({ length: last }, (_, part) => part)
    for (const part of parts) {
      const results = job.results.slice(part * resultsInPart, (part + 1) * resultsInPart).map(short)
      await store.putDocument(partName(job.id, part), results)
    }
    await store.putDocument(headName(job.id), { ...job, results: [] })
  }

  return {
    save,
    get,
    async list(limit) {
      const heads = await store.listDocuments<CommandJob>('job/', { limit, reverse: true })
      return heads.map(({ value }) => value)
    },
    keyed: (key) => store.getDocument<Keyed>(`key/${key}`),
    saveKey: (key, keyed) => store.putDocument(`key/${key}`, keyed),
    async recover(clock) {
      const heads = await store.listDocuments<CommandJob>('job/', { limit: recoverLimit, reverse: true })
      const recovered: CommandJob[] = []
      for (const { value } of heads) {
        if (value.state !== 'running') continue
        const job = await get(value.id)
        if (!job) continue
        const ended = afterRestart(job, clock.now())
        await save(ended)
        recovered.push(ended)
      }
      return recovered
    },
  }
}

function short({ result, ...rest }: CommandResult): CommandResult {
  if (result === undefined || (JSON.stringify(result) ?? '').length > maxResultLength) return rest
  return { ...rest, result }
}
