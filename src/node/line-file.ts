import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, type Log, matches, type Static, type TSchema } from '#model'

/** Lines of JSON, only ever added, in `<name>.ndjson` and the full ones before it, `<name>.<n>.ndjson`, the oldest with the lowest number; mode 0600. */
export interface LineFile<T> {
  /** Written behind the others; resolves when it is on the disk, and never rejects: what was done cannot be undone by a full disk. */
  append(entry: Omit<T, 'at'>): Promise<void>
  /** Newest first, of the newest `listedFiles` files. */
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
  /** A file so large is put aside; default 8 MB. */
  readonly maxBytes?: number
  /** So many of those put aside are kept, the newest; at least 1, which is the default. */
  readonly keepFull?: number
}

/** A list looks through so many files at most: whoever asks for what is nowhere in them must not hold up the others. */
const listedFiles = 4

export async function openLines<S extends TSchema>(options: LineFileOptions<S>): Promise<LineFile<Static<S>>> {
  type Entry = Static<S> & { readonly at: number }
  const { folder, name, schema, clock, log, maxBytes = 8 * 1024 * 1024, keepFull = 1 } = options
  const path = join(folder, `${name}.ndjson`)
  const pathOf = (number: number) => join(folder, `${name}.${number}.ndjson`)
  /** Numbers of the files put aside, oldest first. */
  let full = await numbersOf(folder, name)
  const ended = (await textOf(path)).endsWith('\n')
  let file = await open(path, 'a', 0o600)
  let bytes = (await stat(path)).size
  if (bytes > 0 && !ended) await file.appendFile('\n')
  let last: Promise<void> = Promise.resolve()
  let lost = 0

  const write = async (line: string) => {
    if (bytes > 0 && bytes + line.length > maxBytes) {
      const number = (full.at(-1) ?? 0) + 1
      await rename(path, pathOf(number))
      full = [...full, number]
      const before = file
      file = await open(path, 'a', 0o600)
      bytes = 0
      await before.close()
      await forget()
    }
    await file.appendFile(line)
    await file.datasync()
    bytes += Buffer.byteLength(line)
  }
  const forget = async () => {
    for (const number of full.slice(0, -keepFull)) await rm(pathOf(number), { force: true })
    full = full.slice(-keepFull)
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
  const read = async (
    paths: readonly string[],
    {
      from = Number.NEGATIVE_INFINITY,
      to = Number.POSITIVE_INFINITY,
      fits = () => true,
      limit = 100,
    }: LineQuery<Entry>,
  ) => {
    const found: Entry[] = []
    for (const each of paths) {
      for (const line of (await textOf(each)).split('\n').reverse()) {
        const entry = parse(line)
        if (!entry || entry.at < from || entry.at >= to || !fits(entry)) continue
        if (found.push(entry) >= limit) return found
      }
    }
    return found
  }
  await forget()
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
    async list(query) {
      await last
      for (;;) {
        const before = full
        const found = await read(
          [
            path,
            ...before
              .slice(1 - listedFiles)
              .reverse()
              .map(pathOf),
          ],
          query,
        )
        // A file that was put aside meanwhile was read twice, or not at all.
        if (full === before) return found
      }
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

async function numbersOf(folder: string, name: string): Promise<number[]> {
  const numbers = (await readdir(folder)).flatMap((file) => {
    const [of, number = '', ending, ...rest] = file.split('.')
    return of === name && ending === 'ndjson' && rest.length === 0 && /^[1-9]\d{0,8}$/.test(number)
      ? [Number(number)]
      : []
  })
  return numbers.sort((a, b) => a - b)
}
