import test from 'brittle'
import fc from 'fast-check'
import type { CommandJob } from '#rpc'
import { backoff } from '../../web/src/backoff.js'
import { hrefOf, parseRoute, signInCode } from '../../web/src/route.js'
import { eventReader, type StreamEvent } from '../../web/src/sse.js'
import { Cell, Devices, jobsMax, withJob } from '../../web/src/store.js'
import { madeUp } from './crowd.js'

const record = (id: string, askedAt: number) => ({ ...madeUp(1, askedAt, () => 0.5), id })

test('records come and go, and an older one never replaces a newer one', (t) => {
  const devices = new Devices()
  let told = 0
  const stop = devices.watch(() => told++)
  devices.apply({ records: [record('a', 10), record('b', 10)] })
  devices.apply({ records: [record('a', 5)] })
  t.is(devices.byId.get('a')?.askedAt, 10)
  t.is(devices.membership, 2, 'a change of values is no change of members')
  devices.apply({ records: [], removed: ['a', 'never'] })
  t.alike([...devices.byId.keys()], ['b'])
  t.is(devices.membership, 3)
  devices.keepOnly(new Set())
  t.is(devices.byId.size, 0)
  t.is(told, 4)
  stop()
  devices.clear()
  t.is(told, 4)
})

test('a cell tells of changes only', (t) => {
  const cell = new Cell(1)
  let told = 0
  const stop = cell.watch(() => told++)
  cell.set(1)
  cell.set(2)
  stop()
  cell.set(3)
  t.is(told, 1)
  t.is(cell.value, 3)
})

test('jobs stand newest first, each once, and their number is bound', (t) => {
  const job = (id: string, createdAt: number) => ({ id, createdAt }) as CommandJob
  const jobs = [job('a', 1), job('b', 3), job('a', 1), job('c', 2)].reduce<readonly CommandJob[]>(withJob, [])
  t.alike(
    jobs.map(({ id }) => id),
    ['b', 'c', 'a'],
  )
  const many = Array.from({ length: jobsMax + 5 }, (_, at) => job(`j${at}`, at)).reduce<readonly CommandJob[]>(
    withJob,
    [],
  )
  t.is(many.length, jobsMax)
  t.is(many[0]?.id, `j${jobsMax + 4}`)
})

test('server-sent events are read the same however the stream is cut', (t) => {
  const stream =
    ': heartbeat\n\nid: 7\r\nevent: devices\r\ndata: {"a":\r\ndata: 1}\r\n\r\nevent: empty\n\ndata:x\n\nretry: 2000\n\n'
  const expected = [
    { event: 'devices', data: '{"a":\n1}', id: '7' },
    { event: 'message', data: 'x', id: '7' },
  ]
  const read = (chunks: string[]) => {
    const events: StreamEvent[] = []
    const push = eventReader((event) => events.push(event))
    for (const chunk of chunks) push(chunk)
    return events
  }
  t.alike(read([stream]), expected)
  t.alike(read([...stream]), expected)
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), stream.length]
      const chunks = at.slice(1).map((end, index) => stream.slice(at[index], end))
      return JSON.stringify(read(chunks)) === JSON.stringify(expected)
    }),
  )
  t.pass('at any place')
})

test('waits grow to a limit and are spread', (t) => {
  t.is(backoff(0, 1), 500)
  t.is(backoff(0, 0), 375)
  t.is(backoff(3, 1), 4000)
  t.is(backoff(60, 1), 15_000)
})

test('addresses lead to pages and back', (t) => {
  t.alike(
    { ...parseRoute('#/devices/home.wm-m56s.10.0.0.12'), query: null },
    { page: 'device', id: 'home.wm-m56s.10.0.0.12', query: null },
  )
  t.is(parseRoute('#/devices?status=offline').page, 'devices')
  t.is(parseRoute('#/devices?status=offline').query.get('status'), 'offline')
  t.is(parseRoute('#/commands/job-1').page, 'command')
  t.is(parseRoute('').page, 'overview')
  t.is(parseRoute('#/nowhere').page, 'overview')
  t.is(parseRoute('#/devices/%E0%A4%A').id, '%E0%A4%A', 'a broken escape is no crash')
  t.is(parseRoute(hrefOf('devices', 'a/b?c')).id, 'a/b?c')
  t.is(hrefOf('overview'), '#/')
})

test('the code of a sign-in link is found, and only there', (t) => {
  t.is(signInCode('#code=a%2Bb'), 'a+b')
  t.is(signInCode('#/devices?q=code=1'), null)
  t.is(signInCode(''), null)
})
