import { open, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, type Log, matches, type Static, type TSchema } from '#model'

/** Lines of JSON, only ever added, in `<name>.ndjson` and the full one before it, mode 0600. */
export interface LineFile<T> {
  /** Written behind the others; resolves when it is on the disk, and never rejects: what was done cannot be undone by a full disk. */
  append(entry: Omit<T, 'at'>): Promise<void>
  /** Newest first. */
  list(query: LineQuery<T>): Promise<T[]>
  /** Entries that could not be written. */
  readonly lost: number
  close(): Promise<void>
}

export interface LineQuery<T> {
  readonly from?: number
  readonly to?: number
  readonly fits?: (entry: T) => boolean
  /** Default 100. */
  readonly limit?: number
}

export interface LineFileOptions<S extends TSchema> {
  readonly folder: string
  readonly name: string
  /** Of a line; `at`, ms since the epoch, is filled in. */
  readonly schema: S
  readonly clock: Clock
  readonly log: Log
  /** A file so large is put aside, and the one put aside before is forgotten. */
  readonly maxBytes?: number
}

export async function openLines<S extends TSchema>(options: LineFileOptions<S>): Promise<LineFile<Static<S>>> {
  type Entry = Static<S> & { readonly at: number }
  const { folder, name, schema, clock, log, maxBytes = 8 * 1024 * 1024 } = options
  const path = join(folder, `${name}.ndjson`)
  const before = join(folder, `${name}.1.ndjson`)
  const ended = (await textOf(path)).endsWith('\n')
  let file = await open(path, 'a', 0o600)
  let bytes = (await stat(path)).size
  if (bytes > 0 && !ended) await file.appendFile('\n')
  let last: Promise<void> = Promise.resolve()
  let lost = 0

  const write = async (line: string) => {
    if (bytes > 0 && bytes + line.length > maxBytes) {
      await rename(path, before)
      const full = file
      file = await open(path, 'a', 0o600)
      bytes = 0
      await full.close()
    }
    await file.appendFile(line)
    await file.datasync()
    bytes += Buffer.byteLength(line)
  }
  /** A line that a crash cut is passed over. */
  const parse = (line: string): Entry | undefined => {
    try {
      const entry: unknown = JSON.parse(line)
      return matches(schema, entry) ? (entry as Entry) : undefined
    } catch {
      return undefined
    }
  }
  return {
    append(entry) {
      const line = `${JSON.stringify({ at: clock.now(), ...entry })}\n`
      last = last
        .then(() => write(line))
        .catch((error) => {
          lost++
          log.error({ err: error, file: name }, 'a line could not be written')
        })
      return last
    },
    async list({ from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, fits = () => true, limit = 100 }) {
      await last
      const found: Entry[] = []
      for (const each of [path, before]) {
        for (const line of (await textOf(each)).split('\n').reverse()) {
          const entry = parse(line)
          if (!entry || entry.at < from || entry.at >= to || !fits(entry)) continue
          if (found.push(entry) >= limit) return found
        }
      }
      return found
    },
    get lost() {
      return lost
    },
    async close() {
      await last
      await file.close()
    },
  }
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  })
}
