import test, { type Assertions } from 'brittle'
import { type Event, SdkError, Type } from '#model'
import { defineService, type Placement } from '#node'
import { type FoldedEvent, registrar, serve } from '#rpc'
import { aggregator } from '../../../src/workers/aggregator/index.js'
import { openNode, place } from '../../node/nodes.js'
import { open, start } from '../../replication/support.js'
import { until } from '../../support/fake-clock.js'

const pulseMs = 5_000
const placement: Placement = { name: 'aggregator', service: aggregator, config: { role: 'aggregator' } }

const service = (at: number, message: string): Event => ({ at, type: 'service', message })
const raised = (at: number, message: string, severity: string): Event => ({
  at,
  type: 'error-raised',
  deviceId: 'a',
  message,
  data: { error: { code: 'x', message, severity } },
})

/** Who writes the record: keeps what it is told, but for what `refuse` throws. */
function book(there: FoldedEvent[] = [], refuse: (one: FoldedEvent) => SdkError | undefined = () => undefined) {
  const asked: FoldedEvent[] = []
  const placement: Placement = {
    name: 'book',
    config: {},
    service: defineService({
      kind: 'mesh',
      config: Type.Object({}),
      start(context) {
        const answers = {
          putSite: () => ({}),
          putDevices: () => ({}),
          putEvent: (one: FoldedEvent) => {
            asked.push(one)
            const error = refuse(one)
            if (error) throw error
            there.unshift(one)
            return {}
          },
          foldedEvents: () => ({ events: there, more: false }),
        }
        // Nothing else is asked of it here.
        const all = new Proxy(answers, { get: (target, name) => target[name as keyof typeof target] ?? (() => ({})) })
        context.provide(
          registrar,
          serve(registrar, all as unknown as Parameters<typeof serve<typeof registrar.methods>>[1]),
        )
      },
    }),
  }
  return { placement, asked, there }
}

async function openFold(t: Assertions, told: ReturnType<typeof book>, before: readonly Event[] = []) {
  const store = await open(t, await t.tmp(), {}, { site: 'north' })
  if (before.length > 0) await store.append({ at: start, records: [], events: before })
  const wm = place('wm', (context) => context.share(store))
  const opened = await openNode(t, [wm, told.placement, placement])
  await opened.node.ready()
  const say = (...events: Event[]) => store.append({ at: opened.clock.now(), records: [], events })
  /** The next event is written, however long the disk takes for it. */
  const asked = async (count: number) => {
    await until(async () => {
      if (told.asked.length >= count) return true
      await opened.clock.advance(pulseMs)
      return false
    }, `${count} are told`)
  }
  return { ...opened, say, asked }
}

const messages = (events: readonly FoldedEvent[]) => events.map(({ event }) => event.message)

test('what matters to all is told with its site and worker, one event a pulse; the rest is not', async (t) => {
  const told = book()
  const { clock, say, asked } = await openFold(t, told)
  const now = clock.now()
  await say(
    raised(now, 'hot', 'critical'),
    raised(now, 'warm', 'low'),
    { at: now, type: 'status', deviceId: 'a', message: 'a is mining' },
    service(now + 1, 'the disk is nearly full'),
  )
  await asked(1)
  t.is(told.asked.length, 1)
  t.alike(told.asked[0], { site: 'north', worker: 'wm', event: raised(now, 'hot', 'critical') })
  await asked(2)
  for (let pulse = 0; pulse < 5; pulse++) await clock.advance(pulseMs)
  t.alike(messages(told.asked), ['hot', 'the disk is nearly full'])
})

test('it goes on from the newest event of each worker that the record has', async (t) => {
  const now = 1_800_000_000_000
  const minute = (count: number) => now - 3_600_000 + count * 60_000
  const there = [1, 0].map((count) => ({
    site: 'north',
    worker: 'wm',
    event: service(minute(count), `event ${count}`),
  }))
  const told = book(there)
  const { clock, asked } = await openFold(
    t,
    told,
    [0, 1, 2, 3].map((count) => service(minute(count), `event ${count}`)),
  )
  await asked(2)
  for (let pulse = 0; pulse < 5; pulse++) await clock.advance(pulseMs)
  t.alike(messages(told.asked), ['event 2', 'event 3'], 'what happened while none ran, and nothing twice')
})

test('what happened before the record had anything of a worker is told of the last day only', async (t) => {
  const now = 1_800_000_000_000
  const told = book()
  const { clock, asked } = await openFold(t, told, [
    service(now - 2 * 86_400_000, 'long ago'),
    service(now - 3_600_000, 'an hour ago'),
  ])
  await asked(1)
  for (let pulse = 0; pulse < 5; pulse++) await clock.advance(pulseMs)
  t.alike(messages(told.asked), ['an hour ago'])
})

test('an event that the record refuses is left out and said; one that cannot be written now is tried again', async (t) => {
  let tries = 0
  const told = book([], ({ event: { message } }) => {
    if (message === 'refused') return new SdkError('FORBIDDEN', 'not yours')
    if (message === 'later' && ++tries < 3) return new SdkError('UNAVAILABLE', 'not now')
    return undefined
  })
  const { clock, say, asked, log, node } = await openFold(t, told)
  const now = clock.now()
  await say(service(now, 'refused'), service(now + 1, 'later'), service(now + 2, 'last'))
  await asked(5)
  t.alike(messages(told.asked), ['refused', 'later', 'later', 'later', 'last'])
  t.alike(messages(told.there), ['last', 'later'])
  t.ok(log.lines.some((line) => JSON.stringify(line).includes('does not take an event')))
  t.ok(node.services().every(({ restarts }) => restarts === 0))
})
