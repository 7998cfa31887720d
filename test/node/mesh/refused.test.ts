import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'brittle'
import { silentLog } from '#model'
import { openRefused } from '../../../src/node/mesh/refused.js'
import { FakeClock } from '../../support/fake-clock.js'

const key = (index: number) => index.toString(16).padStart(64, '0')

test('who is refused stands in the book at once, and how often after a while; it is there after a restart', async (t) => {
  const folder = await t.tmp()
  const clock = new FakeClock()
  const book = await openRefused({ folder, clock, log: silentLog })
  for (let at = 0; at < 1000; at++) book.note('unknown', key(1))
  t.alike(
    (await book.list({})).map(({ reason, key, count }) => ({ reason, key, count })),
    [{ reason: 'unknown', key: key(1), count: 1 }],
  )
  await clock.advance(60_000)
  t.is((await book.list({}))[0]?.count, 999)
  book.note('unknown', key(1))
  book.note('unknown', key(1))
  await book.close()
  const again = await openRefused({ folder, clock, log: silentLog })
  t.alike(
    (await again.list({})).map(({ count }) => count),
    [1, 1, 999, 1],
  )
  await again.close()
})

test('ten thousand strangers leave a few hundred lines', async (t) => {
  const folder = await t.tmp()
  const clock = new FakeClock()
  const book = await openRefused({ folder, clock, log: silentLog })
  for (let at = 0; at < 10_000; at++) book.note('unknown', key(at))
  await book.close()
  const lines = readFileSync(join(folder, 'refused.ndjson'), 'utf8').trim().split('\n')
  t.ok(lines.length <= 202, `${lines.length} lines`)
  const counted = lines.reduce((sum, line) => sum + JSON.parse(line).count, 0)
  t.is(counted, 10_000, 'and none is forgotten')
})
