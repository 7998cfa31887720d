import test from 'brittle'
import fc from 'fast-check'
import type { Metrics } from '#model'
import { type HistoryQuery, type Step, type Store, stepMs } from '#replication'
import { difference, intervalMs, Naive, open, record, start, tidy } from './support.js'

const metrics = ['hashrateThs', 'powerW', 'chipTempMaxC', 'uptimeS', 'acceptedShares'] as const
const devices = ['a', 'b', 'c']

const reading = fc.option(
  fc.oneof(
    fc.integer({ min: 0, max: 300 }),
    fc.integer({ min: 0, max: 30_000 }).map((n) => n / 100),
  ),
  { nil: null },
)
const values: fc.Arbitrary<Metrics> = fc.record(
  { hashrateThs: reading, powerW: reading, chipTempMaxC: reading, uptimeS: reading, acceptedShares: reading },
  { requiredKeys: [] },
)

const tick = fc.record({
  kind: fc.constant('tick' as const),
  /** Mostly an interval, sometimes long silence, sometimes a clock that jumps back. */
  wait: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 1, max: 25_000 }) },
    fc.integer({ min: 60_000, max: 4_000_000 }),
    fc.integer({ min: -2_000_000, max: -1 }),
  ),
  samples: fc.array(fc.tuple(fc.constantFrom(...devices), values, fc.boolean()), { minLength: 1, maxLength: 3 }),
})
const step = fc.oneof(
  { weight: 12, arbitrary: tick },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'tidy' as const }) },
)

async function same(store: Store, naive: Naive, span: Pick<HistoryQuery, 'from' | 'to'>): Promise<string | undefined> {
  for (const deviceId of devices) {
    const raw = { deviceId, metrics, ...span, step: 'raw' as const }
    const different = difference(await store.history(raw), naive.raw(raw))
    if (different) return `${deviceId} raw: ${different}`
    for (const length of Object.keys(stepMs) as Exclude<Step, 'raw'>[]) {
      const query = { deviceId, metrics, ...span, step: length }
      const wrong = difference(await store.history(query), naive.steps(query))
      if (wrong) return `${deviceId} ${length}: ${wrong}`
    }
  }
  return undefined
}

test('history is what was appended, raw and at every step, whatever happened in between', {
  timeout: 120_000,
}, async (t) => {
  const spans = fc.tuple(fc.integer({ min: -9_000_000, max: 9_000_000 }), fc.integer({ min: 0, max: 9_000_000 }))
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 5, maxLength: 90 }),
    fc.array(spans, { minLength: 1, maxLength: 2 }),
    // With short segments, days are made of many of them.
    fc.constantFrom(5000, 300_000),
    async (steps, asked, segmentMs) => {
      const path = await t.tmp()
      const limits = { segmentMs, wholeRecordMs: 300_000, foldSteps: 2, foldLeast: 1, mergeLeast: 2 }
      const naive = new Naive()
      let store = await open(t, path, limits)
      let now = start
      const used = new Set<string>()
      for (const each of steps) {
        if (each.kind === 'reopen') {
          await store.close()
          store = await open(t, path, limits)
        } else if (each.kind === 'tidy') {
          await tidy(store, 5)
        } else {
          now += each.wait
          const records = each.samples
            // One device has one value at one moment.
            .filter(([id]) => !used.has(`${id} ${now}`) && used.add(`${id} ${now}`))
            .map(([id, numbers, ok]) => record(id, now, numbers, { status: ok ? 'mining' : 'not-mining' }))
          await store.append({ at: now, records })
          for (const one of records) naive.add(one)
        }
      }
      const whole = { from: start - 10_000_000, to: start + 20_000_000 }
      for (const span of [
        whole,
        ...asked.map(([from, length]) => ({ from: start + from, to: start + from + length })),
      ]) {
        const wrong = await same(store, naive, span)
        if (wrong) throw new Error(wrong)
      }
      await store.close()
    },
  )
  await fc.assert(property, { numRuns: 12, endOnFailure: true })
  t.pass()
})

test('of a day that was put together every sample, and every interval with its mean, extremes, last and count, is there', async (t) => {
  const path = await t.tmp()
  const limits = { segmentMs: 600_000, wholeRecordMs: 600_000, foldSteps: 2, foldLeast: 10, mergeLeast: 1 }
  const naive = new Naive()
  let store = await open(t, path, limits)
  const hour = Math.floor(start / 3_600_000) * 3_600_000
  for (let tick = 0; tick < 1500; tick++) {
    const at = hour + tick * 10_000 + (tick % 3)
    const numbers = { hashrateThs: 200 + ((tick * 7) % 13) / 100, acceptedShares: tick, powerW: 3000 + (tick % 5) }
    const records = devices
      .filter((id) => id === 'a' || tick % 2 === 0)
      .map((id) => record(id, at, id === 'b' && tick > 700 ? { powerW: tick } : numbers))
    await store.append({ at, records })
    for (const one of records) naive.add(one)
    if (tick === 1441 || tick === 1442) {
      // In the middle of putting it together.
      await store.close()
      store = await open(t, path, limits)
    }
  }
  await tidy(store, 10)
  t.is(store.stats().mergedVolumes, 1)
  t.is(await same(store, naive, { from: hour, to: hour + 15_000_000 }), undefined)
  const digests = async (step: Exclude<Step, 'raw'>, from: number) => {
    const query = { deviceId: 'a', metrics: ['hashrateThs', 'acceptedShares'] as const, from, to: from + 1, step }
    const { digests } = await store.history({ ...query, digests: true })
    return [digests?.hashrateThs?.[0], digests?.acceptedShares?.[0]]
  }
  for (const [step, ticks] of [
    ['1m', 6],
    ['5m', 30],
    ['1h', 360],
  ] as const) {
    const from = hour + 7_200_000
    const [rate, shares] = await digests(step, from)
    const rates = Array.from({ length: ticks }, (_, tick) => 200 + (((720 + tick) * 7) % 13) / 100)
    const mean = rates.reduce((sum, each) => sum + each, 0) / ticks
    t.ok(Math.abs(rate!.mean - mean) < 1e-9)
    const { mean: _, ...rest } = rate!
    t.alike(rest, { min: Math.min(...rates), max: Math.max(...rates), last: rates.at(-1)!, count: ticks })
    t.is(shares!.last, 720 + ticks - 1)
    t.is(shares!.count, ticks)
  }
  await store.close()
  store = await open(t, path, limits)
  t.is(await same(store, naive, { from: hour + 1, to: hour + 14_000_000 }), undefined, 'and after a restart')
})

test('a gap is null and nothing missing becomes 0', async (t) => {
  const store = await open(t, await t.tmp())
  const hour = Math.floor(start / 3_600_000) * 3_600_000
  for (const offset of [0, 10_000, 20_000, 300_000, 310_000]) {
    await store.append({ at: hour + offset, records: [record('a', hour + offset, { powerW: 0 })] })
  }
  const query = { deviceId: 'a', metrics: ['powerW', 'hashrateThs'] as const, from: hour, to: hour + 360_000 }
  const raw = await store.history({ ...query, step: 'raw' })
  t.alike(
    raw.at,
    [0, 10_000, 20_000, 20_000 + intervalMs, 300_000, 310_000].map((offset) => hour + offset),
  )
  t.alike(raw.series, { powerW: [0, 0, 0, null, 0, 0], hashrateThs: [null, null, null, null, null, null] })
  const minutes = await store.history({ ...query, step: '1m' })
  t.alike(minutes.series.powerW, [0, null, null, null, null, 0])
  const nobody = await store.history({ ...query, deviceId: 'nobody', step: '5m' })
  t.alike(nobody.series.powerW, [null, null])
})

test('a query that is none, or too long, is refused', async (t) => {
  const store = await open(t, await t.tmp())
  for (let index = 0; index < 6; index++)
    await store.append({ at: start + index, records: [record('a', start + index)] })
  const query = { deviceId: 'a', metrics: ['powerW'] as const, from: start, to: start + 100, step: 'raw' as const }
  await t.exception(store.history({ ...query, from: start + 101 }), /no span/)
  await t.exception(store.history({ ...query, to: Number.NaN }), /no span/)
  await t.exception(store.history({ ...query, metrics: ['toString' as 'powerW'] }), /no metric/)
  await t.exception(store.history({ ...query, maxPoints: 5 }), /more than 5 points/)
  await t.exception(store.history({ ...query, from: 0, step: '1m' }), /more than 50000 points/)
})

test('raw samples go after their time, a volume at once; roll-ups stay; a clock that jumped ahead drops nothing', async (t) => {
  const path = await t.tmp()
  const options = { keep: { raw: { ageMs: 30_000 } } }
  const short = { segmentMs: 1000, wholeRecordMs: 2000, foldLeast: 10, foldSteps: 1, mergeLeast: 10 }
  let store = await open(t, path, short, options)
  const append = async (at: number) => {
    await store.append({ at, records: [record('a', at, { powerW: 5 })] })
    await tidy(store, 4)
  }
  for (let second = 0; second < 50; second++) await append(start + second * 1000)
  await append(start + 90_000_000_000)
  await append(start + 50_000)
  const count = async () => {
    const { at } = await store.history({
      deviceId: 'a',
      metrics: ['powerW'],
      from: start,
      to: start + 1_000_000,
      step: 'raw',
    })
    return { count: at.length, first: (at[0]! - start) / 1000 }
  }
  t.alike(await count(), { count: 51, first: 0 })
  for (let second = 51; second < 130; second++) await append(start + second * 1000)
  t.is(store.stats().droppedVolumes, 4, 'the fourth ends 34 s before the end')
  t.alike(await count(), { count: 130 - 95, first: 95 })
  const rollup = {
    deviceId: 'a',
    metrics: ['powerW'] as const,
    from: start,
    to: start + 1_000_000,
    step: '5m' as const,
  }
  t.is((await store.history(rollup)).series.powerW?.[0], 5)
  await store.close()
  store = await open(t, path, short, options)
  t.alike(await count(), { count: 130 - 95, first: 95 })
})
