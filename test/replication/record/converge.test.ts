import test from 'brittle'
import fc from 'fast-check'
import { SdkError } from '#model'
import type { FleetRecord, Intent } from '#replication'
import { until } from '../../support/fake-clock.js'
import { at, type Copy, connect, createFleet, grant, joinCopy, open, peer, root, seen } from './support.js'

/** More of them by hand: `node --conditions=source --import tsx test/replication/record/converge.test.ts 100`. */
const runs = Number(process.argv[2] ?? 3)
const sites = ['texas', 'ohio'] as const
const names = ['a', 'b', 'c', 'd'] as const
/** Members of the beginning; they are not revoked, so that services may be theirs in any order. */
const keepers = ['k1', 'k2'] as const

type Step =
  | { readonly do: 'write'; readonly who: number; readonly what: keyof typeof writes; readonly n: number }
  | { readonly do: 'cut' | 'connect'; readonly a: number; readonly b: number }
  | { readonly do: 'rest' }

/** What a writer may say: the intent, who signs it, and whether it may count at all. */
interface Said {
  intent: Intent
  as?: typeof root
  refused?: 'role' | 'grant' | 'signature'
}

const writes = {
  member: (n: number, time: number): Said => {
    const name = names[n % names.length]!
    return {
      intent: { op: 'addMember', name: `${name}${time}`, grant: grant(peer(name), 'worker', { from: at + time }) },
    }
  },
  revoke: (n: number): Said => ({ intent: { op: 'revokeMember', key: peer(names[n % 2]!).key }, as: root }),
  announce: (n: number, time: number): Said => ({
    intent: {
      op: 'announceService',
      member: peer(keepers[n % 2]!).key,
      name: `s${n % 3}`,
      kind: `kind${time}`,
      contracts: [],
    },
  }),
  withdraw: (n: number): Said => ({
    intent: { op: 'withdrawService', member: peer(keepers[n % 2]!).key, name: `s${n % 3}` },
  }),
  site: (n: number, time: number): Said => ({
    intent: { op: 'putSite', site: sites[n % 2]!, totals: { devices: time } },
  }),
  event: (n: number, time: number): Said => ({
    intent: { op: 'putEvent', event: { at: at + (n % 7), type: 'service', message: `event ${time}` } },
  }),
  topic: (n: number, time: number): Said => ({
    intent: { op: 'rotateTopic', epoch: 1 + (n % 5), salt: time.toString(16).padStart(64, '0') },
  }),
  invite: (_: number, time: number): Said => ({
    intent: { op: 'putInvite', id: time.toString(16).padStart(32, '0'), role: 'worker', until: at + 1e9 },
  }),
  // What nobody may, in any order.
  forgedGrant: (n: number, time: number): Said => {
    const real = grant(peer('x'), 'monitor', { from: at + time })
    return { intent: { op: 'addMember', name: `forged${n}`, grant: { ...real, role: 'admin' } }, refused: 'grant' }
  },
  handOver: (): Said => ({
    intent: { op: 'recover', logs: ['ab'.repeat(32)], system: 'cd'.repeat(32), length: 1 },
    refused: 'signature',
  }),
  revokeOwner: (): Said => ({ intent: { op: 'revokeMember', key: root.key }, refused: 'role' }),
} satisfies Record<string, (n: number, time: number) => Said>

/** Everything that a copy shows. */
async function shown(record: FleetRecord): Promise<string> {
  const { topic, fleet, indexers } = record
  const events = (await record.events({ limit: 1000 })).map((event) => JSON.stringify(event)).sort()
  const rest = [
    await record.sites(),
    await record.invites(),
    await record.refused(),
    await record.audit({ limit: 1000 }),
  ]
  const all = [fleet, topic, indexers, record.members(), record.services(), events, ...rest]
  return JSON.stringify(all)
}

/** What must come out, whatever order things arrived in: the same from any shuffle of what was said. */
class Model {
  readonly #revoked = new Set<string>()
  readonly #members = new Map<string, { from: number; id: string; name: string }>()
  readonly #services = new Map<string, { at: number; kind: string | undefined }>()
  readonly #sites = new Map<string, { at: number; devices: number }>()
  readonly #events: string[] = []
  readonly #invites: string[] = []
  readonly #refused: Record<string, number> = {}
  #topic = { epoch: 0, salt: '' }

  add({ intent, refused }: Said): void {
    const time = intent.at!
    if (refused) this.#refused[refused] = (this.#refused[refused] ?? 0) + 1
    else if (intent.op === 'addMember') {
      const { subject, from, id } = intent.grant
      const before = this.#members.get(subject)
      if (!before || before.from < from) this.#members.set(subject, { from, id, name: intent.name })
    } else if (intent.op === 'revokeMember') this.#revoked.add(intent.key)
    else if (intent.op === 'announceService' || intent.op === 'withdrawService') {
      const key = `${intent.member}/${intent.name}`
      const kind = intent.op === 'announceService' ? intent.kind : undefined
      if ((this.#services.get(key)?.at ?? 0) < time) this.#services.set(key, { at: time, kind })
    } else if (intent.op === 'putSite') {
      if ((this.#sites.get(intent.site)?.at ?? 0) < time)
        this.#sites.set(intent.site, { at: time, devices: intent.totals.devices! })
    } else if (intent.op === 'putEvent') this.#events.push(intent.event.message)
    else if (intent.op === 'putInvite') this.#invites.push(intent.id)
    else if (intent.op === 'rotateTopic') {
      const { epoch, salt } = intent
      const newer = epoch > this.#topic.epoch || (epoch === this.#topic.epoch && salt > this.#topic.salt)
      if (newer) this.#topic = { epoch, salt }
    }
  }

  /** What the copy shows otherwise than it must; undefined: nothing. */
  async difference(record: FleetRecord): Promise<string | undefined> {
    const found = {
      revoked: names.map((name) => peer(name).key).filter((key) => record.isRevoked(key)),
      members: names
        .map((name) => record.member(peer(name).key))
        .filter((each) => each && !each.revoked)
        .map((each) => each!.name),
      services: record.services().map(({ member, name, kind }) => `${member}/${name} ${kind}`),
      sites: (await record.sites()).map(({ site, totals }) => `${site} ${totals.devices}`),
      events: (await record.events({ limit: 1000 })).map(({ message }) => message),
      invites: (await record.invites()).map(({ id }) => id),
      epoch: record.topic?.epoch,
      refused: Object.fromEntries(
        Object.entries(await record.refused())
          .filter(([reason]) => reason in this.#refused)
          .map(([reason, { count }]) => [reason, count]),
      ),
    }
    const expected = {
      revoked: names.map((name) => peer(name).key).filter((key) => this.#revoked.has(key)),
      members: names
        .map((name) => peer(name).key)
        .filter((key) => !this.#revoked.has(key) && this.#members.has(key))
        .map((key) => this.#members.get(key)!.name),
      services: [...this.#services].filter(([, { kind }]) => kind).map(([key, { kind }]) => `${key} ${kind}`),
      sites: [...this.#sites].map(([site, { devices }]) => `${site} ${devices}`),
      events: this.#events,
      invites: this.#invites,
      epoch: this.#topic.epoch,
      refused: this.#refused,
    }
    for (const part of Object.keys(expected) as (keyof typeof expected)[]) {
      const [a, b] = [found[part], expected[part]].map((each) =>
        JSON.stringify(Array.isArray(each) ? [...each].sort() : sorted(each)),
      )
      if (a !== b) return `${part}: ${a} instead of ${b}`
    }
    return undefined
  }
}

function sorted(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? Object.entries(value).sort() : value
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      who: fc.nat(),
      what: fc.constantFrom(...(Object.keys(writes) as (keyof typeof writes)[])),
      n: fc.nat(100),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('cut' as const, 'connect' as const), a: fc.nat(), b: fc.nat() }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'rest' as const }) },
)

test('whatever was said where and arrived in which order: all copies are equal, and as they must be', {
  timeout: 60_000 * Math.max(2, runs),
}, async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 3, max: 5 }),
      fc.array(step, { minLength: 20, maxLength: 60 }),
      async (count, steps) => {
        const closing: (() => unknown)[] = []
        const scope = { tmp: () => t.tmp(), teardown: (close: () => unknown) => void closing.push(close) }
        try {
          await converges(scope, count, steps)
        } finally {
          for (const close of closing.reverse()) await close()
        }
      },
    ),
    {
      numRuns: runs,
      endOnFailure: true,
    },
  )
  t.pass(`${runs} runs`)
})

async function converges(t: Parameters<typeof createFleet>[0], count: number, steps: readonly Step[]): Promise<void> {
  const first = await createFleet(t)
  const copies: Copy[] = [first]
  const signing = count >= 4
  for (const name of keepers) await first.record.write({ op: 'addMember', name, grant: grant(peer(name), 'worker') })
  for (let index = 1; index < count; index++) {
    const who = peer(`w${index}`)
    await first.record.write({
      op: 'addMember',
      name: `w${index}`,
      grant: grant(who, 'aggregator', { scope: 'admin' }),
    })
    const copy = await joinCopy(t, first, { member: who })
    await seen(copy, who.key)
    await copy.record.becomeWriter()
    await until(() => first.record.member(who.key)?.writers.length, 'its log is seen')
    await copy.cut()
    copies.push(copy)
  }
  if (signing) {
    const logs = copies.slice(0, 3).map(({ record }) => record.writerKey)
    await first.record.write({ op: 'setIndexers', logs })
  }
  const links = new Map<string, () => Promise<void>>()
  const link = (a: number, b: number) => {
    const name = [a, b].sort().join()
    if (a !== b && !links.has(name)) links.set(name, connect(copies[a]!, copies[b]!))
  }
  const model = new Model()
  let time = 0
  for (const each of steps) {
    if (each.do === 'write') {
      const said: Said = writes[each.what](each.n, ++time)
      const intent = { ...said.intent, at: at + time }
      await say(copies[each.who % count]!.record, { ...said, intent })
      model.add({ ...said, intent })
    } else if (each.do === 'rest') await new Promise((done) => setTimeout(done, 20))
    else if (each.do === 'connect') link(each.a % count, each.b % count)
    else {
      const name = [each.a % count, each.b % count].sort().join()
      await links.get(name)?.()
      links.delete(name)
    }
  }
  for (let a = 0; a < count; a++) for (let b = a + 1; b < count; b++) link(a, b)
  const late = await open(t, await t.tmp(), { key: first.record.key })
  copies.push(late)
  connect(copies[count - 1]!, late)
  let difference: string | undefined
  const equal = async () => {
    difference = await model.difference(first.record)
    if (difference !== undefined) return false
    const all = await Promise.all(copies.map(({ record }) => shown(record)))
    if (all.every((each) => each === all[0])) return true
    const other = all.findIndex((each) => each !== all[0])
    const place = [...all[0]!].findIndex((character, index) => character !== all[other]![index])
    const [a, b] = [all[0]!, all[other]!].map((each) => each.slice(Math.max(0, place - 80), place + 80))
    difference = `copy ${other} of ${copies.length} has ${b}, the first has ${a}; ${copies.map(({ record }) => JSON.stringify(record.stats())).join('\n')}`
    return false
  }
  await until(equal, 'all copies become equal', 30_000).catch((error) => {
    throw new Error(`${error.message}: ${difference}`, { cause: error })
  })
}

async function say(record: FleetRecord, { intent, as, refused }: Said): Promise<void> {
  try {
    await record.write(intent, as ? { as } : {})
  } catch (error) {
    if (!(error instanceof SdkError)) throw error
    const { reason } = error.details as { reason: string }
    // A newer word that came from elsewhere, or a key that the owner has revoked there.
    const late = reason === 'older' || reason === 'revoked' || (intent.op === 'revokeMember' && reason === 'repeated')
    if (refused ? reason === refused : late) return
    throw error
  }
  if (refused) throw new Error(`${intent.op} was taken`)
}
