import { open, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, type Log, matches, type Static, Type } from '#model'

export const AuditEntrySchema = Type.Object({
  /** ms since the epoch. */
  at: Type.Number(),
  /** Who: `token:<id>`, `session:<id>` for the operator by a sign-in link, `nobody`. */
  by: Type.String(),
  address: Type.String(),
  method: Type.String(),
  path: Type.String(),
  /** What it does, as the API description says it. */
  action: Type.String(),
  /** What it was done to: ids of devices, of a command, a scan or a token. */
  targets: Type.Array(Type.String()),
  targetCount: Type.Integer(),
  /** What was asked for; secrets removed. */
  params: Type.Optional(Type.Unknown()),
  status: Type.Integer(),
  /** The error's code if it was refused or failed. */
  code: Type.Optional(Type.String()),
  /** What came of it: the id of the command or scan that holds the rest. */
  result: Type.Optional(Type.String()),
})
export type AuditEntry = Static<typeof AuditEntrySchema>

export interface AuditQuery {
  from?: number
  to?: number
  by?: string
  /** Newest first; default 100. */
  limit?: number
}

export interface Audit {
  /** Written behind the others; resolves when it is on the disk, and never rejects: what was done cannot be undone by a full disk. */
  append(entry: Omit<AuditEntry, 'at'>): Promise<void>
  list(query: AuditQuery): Promise<AuditEntry[]>
  /** Entries that could not be written. */
  readonly lost: number
  close(): Promise<void>
}

export interface AuditOptions {
  storage: string
  clock: Clock
  log: Log
  /** A file so large is put aside, and the one put aside before is forgotten. */
  maxBytes?: number
}

/** Who did what: lines of JSON, only ever added, in `audit.ndjson` and the full one before it, mode 0600. */
export async function openAudit({ storage, clock, log, maxBytes = 8 * 1024 * 1024 }: AuditOptions): Promise<Audit> {
  const path = join(storage, 'audit.ndjson')
  const before = join(storage, 'audit.1.ndjson')
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
  return {
    append(entry) {
      const line = `${JSON.stringify({ at: clock.now(), ...entry })}\n`
      last = last
        .then(() => write(line))
        .catch((error) => {
          lost++
          log.error({ err: error, by: entry.by, action: entry.action }, 'the audit could not be written')
        })
      return last
    },
    async list({ from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, by, limit = 100 }) {
      await last
      const found: AuditEntry[] = []
      for (const name of [path, before]) {
        for (const line of (await textOf(name)).split('\n').reverse()) {
          const entry = parse(line)
          if (!entry || entry.at < from || entry.at >= to || (by !== undefined && entry.by !== by)) continue
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

/** A line that a crash cut is passed over. */
function parse(line: string): AuditEntry | undefined {
  try {
    const entry: unknown = JSON.parse(line)
    return matches(AuditEntrySchema, entry) ? entry : undefined
  } catch {
    return undefined
  }
}
