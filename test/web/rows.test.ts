import test from 'brittle'
import type { DeviceRow } from '../../web/src/client.js'
import { countFacet, matcher, noFilter, readFilter, toggle, writeFilter } from '../../web/src/filter.js'
import { visibleRows } from '../../web/src/rows.js'
import { click, clickAll, nothing, pruned } from '../../web/src/selection.js'
import { nextSort, sorted } from '../../web/src/sort.js'
import { madeUp } from './crowd.js'

const row = (id: string, change: Partial<DeviceRow> = {}): DeviceRow => ({
  ...madeUp(1, 1000, () => 0.5),
  id,
  errors: [],
  ...change,
})
const hashing = (id: string, hashrateThs: number | null) => row(id, { metrics: { hashrateThs } })
const ids = (rows: readonly DeviceRow[]) => rows.map(({ id }) => id)

test('a filter survives the way through the address', (t) => {
  const query = new URLSearchParams('status=mining&status=offline&model=S21%2B&tag=row-a&q=10.0&sort=-power')
  const filter = readFilter(query)
  t.alike(filter, {
    kind: [],
    status: ['mining', 'offline'],
    health: [],
    worker: [],
    model: ['S21+'],
    tag: ['row-a'],
    q: '10.0',
  })
  t.alike(readFilter(writeFilter(filter, '-power')), filter)
  t.is(writeFilter(filter, '-power').get('sort'), '-power')
  t.is(writeFilter(noFilter, 'name').toString(), '', 'what is usual is left out')
})

test('alternatives within a facet, all facets and all words together', (t) => {
  const rows = [
    row('a', { status: 'mining', tags: ['x', 'y'], address: '10.0.0.1:4028' }),
    row('b', { status: 'offline', tags: ['y'], address: '10.0.0.2:4028' }),
    row('c', { status: 'error', tags: [], serial: 'ZZ9' }),
  ]
  const found = (change: Partial<typeof noFilter>) => ids(rows.filter(matcher({ ...noFilter, ...change })))
  t.alike(found({ status: ['mining', 'offline'] }), ['a', 'b'])
  t.alike(found({ status: ['mining', 'offline'], tag: ['x'] }), ['a'])
  t.alike(found({ q: 'zz9' }), ['c'])
  t.alike(found({ q: '10.0.0.2 y' }), ['b'])
  t.alike(found({ q: '10.0.0.2 nowhere' }), [])
})

test('a facet counts what its values would show, whatever is chosen in it', (t) => {
  const rows = [
    row('a', { status: 'mining', worker: 'w1' }),
    row('b', { status: 'offline', worker: 'w1' }),
    row('c', { status: 'mining', worker: 'w2' }),
  ]
  const filter = { ...noFilter, status: ['mining' as const], worker: ['w1'] }
  t.alike(countFacet(rows, filter, 'status'), [
    { value: 'mining', count: 1 },
    { value: 'offline', count: 1 },
  ])
  t.alike(countFacet([], filter, 'status'), [{ value: 'mining', count: 0 }], 'what is chosen can be taken back')
  t.alike(toggle(toggle(noFilter, 'tag', 'x'), 'tag', 'x'), noFilter)
})

test('what is not known comes last both ways, equal ones keep their order', (t) => {
  const rows = [hashing('a', 3), hashing('b', null), hashing('c', 9), hashing('d', 3)]
  t.alike(ids(sorted(rows, 'hashrate')), ['a', 'd', 'c', 'b'])
  t.alike(ids(sorted(rows, '-hashrate')), ['c', 'a', 'd', 'b'])
  t.alike(ids(sorted(rows, 'nonsense')), ['a', 'b', 'c', 'd'], 'an unknown column is the name')
})

test('numbers in names are compared as numbers', (t) => {
  t.alike(ids(sorted([row('m10'), row('m9'), row('m100')], 'name')), ['m9', 'm10', 'm100'])
  t.is(nextSort('name', 'power', true), '-power', 'figures start with the largest')
  t.is(nextSort('-power', 'power', true), 'power')
  t.is(nextSort('name', 'name', false), '-name')
})

test('shift takes the rows between, all means all that match', (t) => {
  const order = ['a', 'b', 'c', 'd', 'e']
  const one = click(nothing, order, 'b', false)
  t.alike([...click(one, order, 'd', true).ids], ['b', 'c', 'd'])
  t.alike([...click(one, order, 'a', true).ids].sort(), ['a', 'b'], 'also upwards')
  t.alike([...click(one, order, 'b', false).ids], [], 'a second click takes it back')
  t.alike([...click(one, ['x', 'd'], 'd', true).ids], ['b', 'd'], 'an anchor that is filtered away is none')
  t.is(clickAll(one, order).ids.size, 5)
  t.is(clickAll(clickAll(one, order), order).ids.size, 0)
  t.alike([...pruned(one, () => false).ids], [])
  t.is(
    pruned(one, () => true),
    one,
  )
})

test('only the rows on screen exist', (t) => {
  t.alike(visibleRows(10_000, 40, 0, 800), { first: 0, end: 28 })
  t.alike(visibleRows(10_000, 40, 200_000, 800), { first: 4992, end: 5028 })
  t.alike(visibleRows(10, 40, 99_999, 800), { first: 9, end: 10 }, 'a list that became shorter')
  t.alike(visibleRows(0, 40, 0, 800), { first: 0, end: 0 })
})
