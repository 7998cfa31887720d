import { appendFile, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'brittle'
import { silentLog } from '#model'
import { openLines } from '#node'
import { members } from '../../src/cli/commands/members.js'
import { type AuditEntry, AuditEntrySchema, openAudit, type RecordRow } from '../../src/gateway/audit.js'
import { FakeClock } from '../support/fake-clock.js'
import { memberKey } from './fleet.js'
import { printedBy } from './printed.js'
import { openSite } from './site.js'

test('every write leaves its line: who, what, to which device, with which result', async (t) => {
  const site = await openSite(t)
  const token = await site.tokenOf('control')
  const id = token.split('_')[1]
  const write = (path: string, method: string, body?: unknown, as = token) =>
    site.ask(path, { method, body, token: as })
  await write('/api/v1/commands', 'POST', {
    command: 'reboot',
    targets: { ids: ['home.wm.a', 'home.wm.c'] },
    reason: 'hot',
  })
  await write('/api/v1/commands', 'POST', { command: 'reboot' })
  await write('/api/v1/devices/home.wm.a', 'DELETE')
  await write('/api/v1/devices/home.wm.b', 'DELETE', undefined, site.adminToken)
  await site.ask('/api/v1/fleet')
  await write('/api/v1/fleet', 'POST')
  await site.ask('/api/v1/commands', { method: 'POST', token: null, body: {} })

  const { data } = (await site.ask('/api/v1/audit?source=gateway')).json as { data: AuditEntry[] }
  const lines = data.map(({ by, method, path, status, code, targets, result }) =>
    [by, method, path, status, code, targets.join(' '), result]
      .filter((part) => part !== undefined && part !== '')
      .join(' '),
  )
  t.alike(lines, [
    'token:admin DELETE /api/v1/devices/{id} 204 home.wm.b',
    `token:${id} DELETE /api/v1/devices/{id} 403 FORBIDDEN home.wm.a`,
    `token:${id} POST /api/v1/commands 400 BAD_REQUEST`,
    `token:${id} POST /api/v1/commands 202 home.wm.a home.wm.c job-1`,
    `token:admin POST /api/v1/tokens 201 ${id}`,
  ])
  t.is((data[3]!.params as { reason: string }).reason, 'hot')
  const own = (await site.ask(`/api/v1/audit?by=token:${id}&limit=2`)).json.data
  t.is(own.length, 2)
})

test('a row says whether it is of this gateway or of the record of the fleet; both are in the order of time', async (t) => {
  const site = await openSite(t)
  await site.ask('/api/v1/devices/home.wm.b', { method: 'DELETE' })
  const rows = async (query: string) => (await site.ask(`/api/v1/audit?${query}`)).json.data as RecordRow[]
  const [own, shared, ...rest] = await rows('from=-1h')
  t.alike(rest, [])
  t.alike([own!.source, own!.by, own!.action !== ''], ['gateway', 'token:admin', true])
  t.alike(shared, {
    source: 'record',
    at: site.clock.now() - 2000,
    by: `member:${memberKey}`,
    name: 'texas',
    action: 'revokeMember',
    targets: ['ee'.repeat(32)],
    targetCount: 1,
  })
  t.alike(await rows('source=record'), [shared])
  t.alike(await rows(`by=member:${memberKey}`), [shared])
  t.alike(await rows('limit=1'), [own])
  t.alike(await rows('from=-1s'), [own])
  t.is((await site.ask('/api/v1/audit?source=elsewhere')).status, 400)
})

test('beside the connections that were refused stands what the record did not take, with why, when and whose it was', async (t) => {
  const site = await openSite(t)
  const { data } = (await site.ask('/api/v1/mesh/refused')).json
  t.alike(
    data.map(({ source, reason, count, node, name, op }: Record<string, unknown>) => [
      source,
      reason,
      count,
      node,
      name,
      op,
    ]),
    [
      ['connection', 'unknown', 3, 'ef'.repeat(32), null, undefined],
      ['record', 'repeated', 2, null, 'texas', 'addMember'],
      ['record', 'malformed', 1, null, null, null],
    ],
  )
  t.is((await site.ask('/api/v1/mesh/refused', { token: await site.tokenOf('control') })).status, 403)
  const { rows } = await printedBy(site, members.refused!)
  const now = site.clock.now()
  t.alike(rows, [
    [new Date(now).toISOString(), 'ef'.repeat(32), 'f'.repeat(64), 'unknown', 3],
    [
      new Date(now - 1000).toISOString(),
      'the record',
      'texas',
      'addMember: it was signed for one use, and taken before',
      2,
    ],
    [null, 'the record', '8'.repeat(64), 'a block: it is no intent', 1],
  ])
})

test('no secret reaches the audit', async (t) => {
  const site = await openSite(t)
  await site.ask('/api/v1/devices', { method: 'POST', body: { host: '127.0.0.9', password: 'hunter2' } })
  await site.ask('/api/v1/commands', {
    method: 'POST',
    body: {
      command: 'setPools',
      params: { pools: [{ url: 'stratum+tcp://p', user: 'u', password: 'hunter2' }] },
      targets: { ids: ['home.wm.a'] },
    },
  })
  await site.ask('/api/v1/session', { method: 'POST', body: { code: 'hunter2' } })
  await site.ask('/api/v1/session', { method: 'POST', body: { token: site.adminToken } })
  const made = await site.tokenOf('read')
  const text = await readFile(join(site.storage, 'api', 'audit.ndjson'), 'utf8')
  t.is(text.trim().split('\n').length, 5)
  for (const secret of ['hunter2', site.adminToken.split('_')[2]!, made.split('_')[2]!]) t.absent(text.includes(secret))
})

test('a very long write is a short line', async (t) => {
  const site = await openSite(t)
  const ids = Array.from({ length: 10_000 }, (_, at) => `home.wm.${at}`)
  t.is(
    (await site.ask('/api/v1/commands', { method: 'POST', body: { command: 'reboot', targets: { ids } } })).status,
    202,
  )
  const [entry] = (await site.ask('/api/v1/audit')).json.data as AuditEntry[]
  t.alike([entry!.targetCount, entry!.targets.length], [10_000, 100])
  t.ok(JSON.stringify(entry).length < 8000)
})

const line = (by: string) => ({
  by,
  address: '127.0.0.1',
  method: 'POST',
  path: '/x',
  action: 'does',
  targets: [],
  targetCount: 0,
  status: 200,
})

test('it is kept over a restart, and a line that a crash cut costs only itself', async (t) => {
  const storage = await t.tmp()
  const clock = new FakeClock()
  const first = await openAudit({ storage, clock, log: silentLog })
  await first.append(line('a'))
  await first.close()
  await appendFile(join(storage, 'audit.ndjson'), '{"at":1,"by":"cu')
  const second = await openAudit({ storage, clock, log: silentLog })
  await second.append(line('b'))
  t.alike(
    (await second.list({})).map(({ by }) => by),
    ['b', 'a'],
  )
  await second.close()
  t.is((await stat(join(storage, 'audit.ndjson'))).mode & 0o777, 0o600)
})

test('no line is ever dropped: full files stay in order, a list is of the newest, also after a restart', async (t) => {
  const storage = await t.tmp()
  const clock = new FakeClock()
  const options = { storage, clock, log: silentLog, maxBytes: 2000 }
  let audit = await openAudit(options)
  const write = async (from: number, to: number) => {
    for (let at = from; at < to; at++) {
      await clock.advance(1)
      await audit.append(line(`n${at}`))
    }
  }
  await write(0, 100)
  await audit.close()
  audit = await openAudit(options)
  t.teardown(() => audit.close())
  await write(100, 200)

  const files = (await readdir(storage)).filter((name) => /^audit\.\d+\.ndjson$/.test(name))
  const full = files.sort((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1]))
  t.ok(full.length > 10, `${full.length} full files`)
  const texts = await Promise.all([...full, 'audit.ndjson'].map((name) => readFile(join(storage, name), 'utf8')))
  t.alike(
    texts.flatMap((text) =>
      text
        .trim()
        .split('\n')
        .map((each) => JSON.parse(each).by),
    ),
    Array.from({ length: 200 }, (_, at) => `n${at}`),
    'every line, in order',
  )
  for (const name of full) t.is((await stat(join(storage, name))).mode & 0o777, 0o600)

  const listed = (await audit.list({ limit: 1000 })).map(({ by }) => Number(by.slice(1)))
  t.ok(listed.length > 20 && listed.length < 60, `${listed.length} listed`)
  t.alike(
    listed,
    listed.map((_, at) => 199 - at),
  )
  const from = clock.now() - 5
  t.is((await audit.list({ from })).length, 6)
  t.is((await audit.list({ from, to: clock.now() })).length, 5)
})

test('what is written while a list is read, files put aside among it, doubles and hides nothing', async (t) => {
  const storage = await t.tmp()
  const audit = await openAudit({ storage, clock: new FakeClock(), log: silentLog, maxBytes: 2000 })
  t.teardown(() => audit.close())
  for (let at = 0; at < 10; at++) await audit.append(line(`n${at}`))
  for (let round = 0; round < 20; round++) {
    const first = 10 + round * 3
    const [found] = await Promise.all([
      audit.list({}),
      ...[0, 1, 2].map((more) => audit.append(line(`n${first + more}`))),
    ])
    const numbers = found.map(({ by }) => Number(by.slice(1)))
    t.alike(
      numbers,
      numbers.map((_, at) => numbers[0]! - at),
    )
    t.ok(numbers[0]! >= first - 1)
  }
})

test('other files of lines are bounded: the oldest lines go, in order, and the newest are always there', async (t) => {
  const folder = await t.tmp()
  const clock = new FakeClock()
  const options = { folder, name: 'other', schema: AuditEntrySchema, clock, log: silentLog, maxBytes: 2000 }
  const lines = await openLines(options)
  for (let at = 0; at < 100; at++) await lines.append(line(`n${at}`))
  const kept = (await lines.list({ limit: 1000 })).map(({ by }) => Number(by.slice(1)))
  t.ok(kept.length > 10 && kept.length < 40, `${kept.length} kept`)
  t.alike(
    kept,
    kept.map((_, at) => 99 - at),
  )
  await lines.close()
  t.is((await readdir(folder)).length, 2)
})
