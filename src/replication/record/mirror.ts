import type { Key } from '#keys'
import type { Fleet } from './intent.js'
import type { Member, MemberRow, RecordPart, RevokedRow, Service, ServiceRow, TopicRow, WriterRow } from './shapes.js'
import { rows, type View } from './view.js'

/** Blocks of the view's end that may be undone: whose rows they wrote is kept, to look at these again. */
const tailBlocks = 4096
/** After a longer absence reading what there is costs less than reading what happened. */
const longAbsence = 1000
const end = '\u{10ffff}'

/** Which part of the record a row is of; undefined: of no part that is told of. */
const partOf: Readonly<Record<string, RecordPart>> = {
  fleet: 'fleet',
  topic: 'topic',
  indexers: 'indexers',
  member: 'members',
  revoked: 'members',
  writer: 'writers',
  service: 'services',
  devices: 'devices',
  site: 'sites',
  invite: 'invites',
  event: 'events',
}

interface Lists {
  readonly members: readonly Member[]
  readonly byKey: ReadonlyMap<Key, Member>
  readonly services: readonly Service[]
}

/** What is asked at every handshake and every call, in memory: who is a member, who is revoked, which services there are. Follows the view. */
export class Mirror {
  fleet: Fleet | undefined
  topic: TopicRow | undefined
  indexers: readonly Key[] = []
  readonly members = new Map<Key, MemberRow>()
  readonly revoked = new Map<string, RevokedRow>()
  readonly writers = new Map<Key, WriterRow>()
  readonly services = new Map<string, Service>()
  #tail: { seq: number; key: string }[] = []
  #tailFrom = Number.POSITIVE_INFINITY
  #lists: Lists | undefined

  /** Everything anew. */
  async load(view: View): Promise<void> {
    const snapshot = view.snapshot()
    try {
      await snapshot.ready()
      const found: [string, unknown][] = []
      for (const row of [rows.fleet, rows.topic, rows.indexers]) {
        const entry = await snapshot.get(row)
        if (entry) found.push([row, entry.value])
      }
      for (const prefix of [rows.members, rows.revocations, rows.writers, rows.services]) {
        for await (const { key, value } of snapshot.createReadStream({ gte: prefix, lt: prefix + end }))
          found.push([key, value])
      }
      for (const map of [this.members, this.revoked, this.writers, this.services]) map.clear()
      this.fleet = undefined
      this.topic = undefined
      this.indexers = []
      this.#lists = undefined
      for (const [key, value] of found) this.#take(key, value)
      this.#tail = []
      this.#tailFrom = snapshot.version
    } finally {
      await snapshot.close()
    }
  }

  /** What was written since block `from`, or undone after it; answers which parts may have changed. */
  async follow(view: View, from: number): Promise<Set<RecordPart>> {
    if (from < this.#tailFrom || view.version - from > longAbsence) {
      await this.load(view)
      return new Set(Object.values(partOf))
    }
    const touched = new Set(this.#tail.filter(({ seq }) => seq >= from).map(({ key }) => key))
    const tail = this.#tail.filter(({ seq }) => seq < from)
    const snapshot = view.snapshot()
    try {
      await snapshot.ready()
      for await (const { seq, key } of snapshot.createHistoryStream({ gte: Math.max(1, from) })) {
        touched.add(key)
        tail.push({ seq, key })
      }
      for (const key of touched) if (isMirrored(key)) this.#take(key, (await snapshot.get(key))?.value)
    } finally {
      await snapshot.close()
    }
    const dropped = tail.splice(0, Math.max(0, tail.length - tailBlocks)).at(-1)
    if (dropped) this.#tailFrom = dropped.seq + 1
    this.#tail = tail
    return new Set([...touched].map((key) => partOf[key.split('/', 1)[0]!]).filter((part) => part !== undefined))
  }

  #take(row: string, value: unknown): void {
    this.#lists = undefined
    const [kind = '', name = ''] = split(row)
    if (kind === 'fleet') this.fleet = value as Fleet | undefined
    else if (kind === 'topic') this.topic = value as TopicRow | undefined
    else if (kind === 'indexers') this.indexers = (value as Key[] | undefined) ?? []
    else if (kind === 'member') set(this.members, name, value as MemberRow | undefined)
    else if (kind === 'revoked') set(this.revoked, name, value as RevokedRow | undefined)
    else if (kind === 'writer') set(this.writers, name, value as WriterRow | undefined)
    else if (kind === 'service') {
      const row = value as ServiceRow | undefined
      set(this.services, name, row?.withdrawn ? undefined : row)
    }
  }

  /** Whether the key, the grant, who signed it, or the machine whose process it is, was revoked. */
  isRevoked(keyOrGrant: string): boolean {
    const host = this.members.get(keyOrGrant)?.host
    // One level up and no further, whatever stands in the rows: this is asked at every call.
    return this.#isOut(keyOrGrant) || (host !== undefined && this.#isOut(host))
  }

  #isOut(keyOrGrant: string): boolean {
    if (this.revoked.has(keyOrGrant)) return true
    const grant = this.members.get(keyOrGrant)?.grant
    const names = grant ? [grant.id, ...(grant.parent ? [grant.parent.id, grant.parent.subject] : [])] : []
    return names.some((name) => this.revoked.has(name))
  }

  /** Sorted by key and by name; the same arrays until something changes. */
  get lists(): Lists {
    if (!this.#lists) {
      const members = this.#memberList()
      const byKey = new Map(members.map((member) => [member.key, member]))
      this.#lists = { members, byKey, services: this.#serviceList() }
    }
    return this.#lists
  }

  #memberList(): Member[] {
    const logs = new Map<Key, Key[]>()
    for (const [log, { member, removed }] of this.writers)
      if (!removed) logs.set(member, [...(logs.get(member) ?? []), log].sort())
    return [...this.members.values()]
      .map((row) => ({ ...row, revoked: this.isRevoked(row.key), writers: logs.get(row.key) ?? [] }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  #serviceList(): Service[] {
    return [...this.services.values()]
      .filter(({ member }) => !this.isRevoked(member))
      .sort((a, b) => (`${a.member}/${a.name}` < `${b.member}/${b.name}` ? -1 : 1))
  }
}

const mirrored = new Set(['fleet', 'topic', 'indexers', 'member', 'revoked', 'writer', 'service'])

function isMirrored(row: string): boolean {
  return mirrored.has(split(row)[0]!)
}

function split(row: string): [string, string] {
  const slash = row.indexOf('/')
  return slash < 0 ? [row, ''] : [row.slice(0, slash), row.slice(slash + 1)]
}

function set<V>(map: Map<string, V>, key: string, value: V | undefined): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}
