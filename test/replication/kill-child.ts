import { openStore, type Store } from '#replication'
import { record, start } from './support.js'

/** A store in a folder, what of it was there at the last look, and what was acknowledged since; see kill.test.ts. */
export interface Life {
  readonly path: string
  readonly acknowledged: number
  /** The last tick whose document is known to be stored. */
  readonly documented: number
}

const devices = 5
const limits = { segmentMs: 300, wholeRecordMs: 3000, foldSteps: 4, foldLeast: 1, mergeLeast: 0.2 }

/** The last tick that is there, and what is wrong after a life that acknowledged so much. */
async function check(store: Store, { acknowledged, documented }: Life): Promise<{ last: number; wrong: string[] }> {
  const wrong: string[] = []
  const is = (what: string, found: unknown, expected: unknown) => {
    if (String(found) !== String(expected)) wrong.push(`${what}: ${found} instead of ${expected}`)
  }
  const span = { from: start, to: start + 10_000_000 }
  const { at } = await store.history({ deviceId: 'd0', metrics: ['powerW'], ...span, step: 'raw' })
  const last = at.length === 0 ? -1 : (at.at(-1)! - start) / 100
  if (last < acknowledged || last > acknowledged + 1) wrong.push(`${acknowledged} acknowledged, ${last} there`)
  const expected = Array.from({ length: last + 1 }, (_, tick) => tick)
  for (const deviceId of ['d0', 'd4']) {
    const { at, series } = await store.history({ deviceId, metrics: ['powerW'], ...span, step: 'raw' })
    const ticks = at.map((time) => (time - start) / 100)
    is(`${deviceId}: every tick up to ${last}, once`, ticks, expected)
    is(`${deviceId}: its power`, series.powerW, expected)
  }
  if (last >= 0) {
    const { series } = await store.history({
      deviceId: 'd1',
      metrics: ['acceptedShares', 'powerW'],
      ...span,
      step: '1h',
    })
    is(
      'the counter',
      series.acceptedShares?.findLast((value) => value !== null),
      last,
    )
    const mean = series.powerW!.find((value) => value !== null)!
    is('roll-ups count each sample once', Math.abs(mean - last / 2) < 1e-6, true)
  }
  const events = await store.events({ limit: 1000 })
  const told = expected.slice(-1000).reverse()
  is(
    'events',
    events.map(({ message }) => message),
    told.map((tick) => `tick ${tick}`),
  )
  const records = [...store.records()].sort((a, b) => (a.id < b.id ? -1 : 1))
  is('records', records.length, last < 0 ? 0 : devices)
  for (const [index, { id, at, metrics, status }] of records.entries()) {
    const known = `d${index} ${start + last * 100} ${last} ${statusOf(last, index)}`
    is('a record', `${id} ${at} ${metrics.powerW} ${status}`, known)
  }
  const document = await store.getDocument<{ tick: number }>('newest')
  if ((document?.tick ?? -1) < documented) wrong.push(`the document is of ${document?.tick}, not ${documented}`)
  is('damaged blocks', store.stats().damagedBlocks, 0)
  return { last, wrong }
}

const statusOf = (tick: number, index: number) => ((tick + index) % 7 ? 'mining' : 'not-mining')
const say = (...words: unknown[]) => process.stdout.write(`${words.map((word) => JSON.stringify(word)).join('\t')}\n`)

/** Looks at the store, and appends to it until the process is killed; says on stdout what was acknowledged. */
async function live(place: number, life: Life): Promise<never> {
  const store = await openStore({ path: life.path, worker: 'wm', site: 'home', intervalMs: 1000, limits })
  const { last, wrong } = await check(store, life)
  say(place, 'open', last, wrong)
  for (let tick = last + 1; ; tick++) {
    const at = start + tick * 100
    const records = Array.from({ length: devices }, (_, index) =>
      record(`d${index}`, at, { powerW: tick, acceptedShares: tick }, { status: statusOf(tick, index) }),
    )
    const events = [{ at, type: 'status' as const, deviceId: `d${tick % devices}`, message: `tick ${tick}` }]
    await store.append({ at, records, events })
    say(place, 'tick', tick)
    if (tick % 10 !== 0) continue
    await store.putDocument('newest', { tick })
    say(place, 'document', tick)
  }
}

process.stdin.once('data', (line) => {
  for (const [place, life] of (JSON.parse(String(line)) as Life[]).entries()) void live(place, life)
})
