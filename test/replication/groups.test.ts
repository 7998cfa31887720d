import test from 'brittle'
import type { DeviceRecord, Metric } from '#model'
import { type FleetView, fleetView, followFeed, type GroupBy, type Reader, type Step } from '#replication'
import { connect, until } from './connection.js'
import { open, record, start, tidy } from './support.js'

const hour = Math.floor(start / 3_600_000) * 3_600_000
const minute = 60_000
const metrics = ['hashrateThs', 'powerW', 'chipTempMaxC', 'fanDutyPct', 'acceptedShares', 'efficiencyJTh'] as const
const limits = { segmentMs: 600_000, wholeRecordMs: 600_000, foldSteps: 2, foldLeast: 10, mergeLeast: 5 }

/** Every device has the tag: a filter by it gives the same devices, but has to read each. */
const everyone = { tags: ['every'] }

function readings(tick: number): DeviceRecord[] {
  const at = hour + tick * minute
  const miner = (id: string, model: string, container: string, share: number) =>
    record(
      id,
      at,
      {
        hashrateThs: 100 * share + (tick % 7) / 8,
        powerW: 3000 * share + (tick % 5),
        chipTempMaxC: 60 + (tick % 11),
        fanDutyPct: 50 + (tick % 3),
        acceptedShares: tick,
      },
      { ...everyone, model, location: { container } },
    )
  return [
    miner('a', 'M50', 'c1', 1),
    miner('b', 'M50', 'c2', 2),
    // Silent for an hour.
    ...(tick > 300 && tick < 360 ? [] : [miner('c', 'M60', 'c2', 3)]),
    record('m', at, { powerW: 9999 }, { ...everyone, kind: 'powermeter', model: 'B24' }),
  ]
}

async function both(view: FleetView, step: Exclude<Step, 'raw'>, asked: readonly Metric[], groupBy?: GroupBy) {
  const query = { metrics: asked, from: hour, to: hour + 600 * minute, step, ...(groupBy && { groupBy }) }
  const tidied = (groups: Awaited<ReturnType<FleetView['groupHistory']>>) =>
    groups.map(({ key, series }) => [
      key,
      Object.entries(series.series).map(([name, column]) => [
        name,
        column.map((value) => (value === null ? null : Number(value.toFixed(5)))),
      ]),
    ])
  const together = tidied(await view.groupHistory(query))
  const alone = tidied(await view.groupHistory({ ...query, filter: { tag: ['every'] } }))
  return { together, alone }
}

test('what groups make together is the same as what all of their devices make, wherever it stands', {
  timeout: 60_000,
}, async (t) => {
  const path = await t.tmp()
  let store = await open(t, path, limits, { intervalMs: minute })
  const clock = { now: () => hour + 600 * minute, hr: () => performance.now(), after: () => () => {} }
  const check = async (reader: Reader, what: string) => {
    const view = fleetView({ readers: () => [reader] }, { clock })
    for (const groupBy of [undefined, 'site', 'worker', 'model', 'container'] as const) {
      const fives = await both(view, '5m', metrics, groupBy)
      t.alike(fives.together, fives.alone, `${what}: five minutes by ${groupBy}`)
      const hours = await both(view, '1h', ['hashrateThs', 'powerW', 'fanDutyPct', 'acceptedShares'], groupBy)
      // Sums of the hour in which a device fell silent are of the minutes in which it was there.
      const whole = (groups: typeof hours.alone) =>
        JSON.stringify(groups, (_, value) =>
          Array.isArray(value) && value.length === 10 ? value.toSpliced(5, 2) : value,
        )
      t.is(whole(hours.together), whole(hours.alone), `${what}: hours by ${groupBy}`)
    }
    const some = { metrics: ['powerW'] as const, from: hour, to: hour + minute, step: '1h' as const }
    const [meters] = await view.groupHistory({ ...some, filter: { kind: ['powermeter'] } })
    t.is(meters?.series.series.powerW?.[0], 9999)
    const models = await view.groupHistory({ ...some, groupBy: 'model', filter: { model: ['M60'] } })
    t.alike(
      models.map(({ key }) => key),
      ['M60'],
    )
    t.is((await view.groupHistory({ ...some, filter: { site: ['elsewhere'] } }))[0]?.series.series.powerW?.[0], null)
    view.close()
  }
  for (let tick = 0; tick < 560; tick++) await store.append({ at: hour + tick * minute, records: readings(tick) })
  await tidy(store, 4)
  t.is(store.stats().mergedVolumes, 2)
  await check(store, 'in days, segments and memory')
  await store.close()
  store = await open(t, path, limits, { intervalMs: minute })
  await check(store, 'after a restart')
  const reader = await followFeed({
    path: await t.tmp(),
    feed: store.feed,
    worker: 'wm',
    site: 'home',
    intervalMs: minute,
  })
  t.teardown(() => reader.close())
  connect(store, reader)
  await until('it is all there', () => reader.records().length === 4 && reader.lag().behind === 0)
  await check(reader, 'elsewhere')
})

test('what groups made that cannot be read is a gap that is said, with whose feed it is and why, also of whom nothing is here', {
  timeout: 60_000,
}, async (t) => {
  const store = await open(t, await t.tmp(), limits, { intervalMs: minute })
  for (let tick = 0; tick < 560; tick++) await store.append({ at: hour + tick * minute, records: readings(tick) })
  await tidy(store, 4)
  const feed = { feed: store.feed, worker: 'wm', site: 'home', intervalMs: minute }
  const reader = await followFeed({ path: await t.tmp(), ...feed, limits: { blockMs: 300, retryMs: 20 } })
  t.teardown(() => reader.close())
  const cut = connect(store, reader)
  await until('the newest records are there', () => reader.records().length === 4 && reader.lag().behind === 0)
  await cut()

  const view = fleetView({ readers: () => [reader] })
  t.teardown(() => view.close())
  const query = { metrics: ['powerW'] as const, from: hour, to: hour + 60 * minute, step: '5m' as const }
  for (const filter of [{}, { tag: ['every'] }]) {
    const groups = await view.groupHistory({ ...query, filter, groupBy: 'model' })
    t.alike(groups.map(({ key }) => key).sort(), ['B24', 'M50', 'M60'], 'every group is there')
    for (const { series } of groups) {
      t.ok(series.series.powerW?.every((value) => value === null))
      const said = series.missing?.map(({ to, ...rest }) => ({ ...rest, whole: to >= query.to - 1 }))
      t.alike(said, [{ from: query.from, worker: 'wm', site: 'home', reason: 'absent', whole: true }])
    }
  }
  t.absent(
    (await view.groupHistory({ ...query, from: hour + 550 * minute, to: hour + 559 * minute }))[0]?.series.missing,
  )
})
