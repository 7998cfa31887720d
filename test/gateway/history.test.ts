import test from 'brittle'
import { routes } from '#gateway'
import { type Event, problemsOf } from '#model'
import type { Series } from '#replication'
import { history } from '../../src/cli/commands/history.js'
import { printedBy } from './printed.js'
import { openSite, type Site } from './site.js'

const replyOf = (path: string) => routes.find((row) => row.path === path)!.reply!
const minute = 60_000

const cliHistory = (site: Site, options: Record<string, unknown> = {}, json = false) =>
  printedBy(site, history, { args: ['home.wm.a'], options, json })

test('a history of which not all can be read says what is missing, of whom and why', async (t) => {
  const site = await openSite(t)
  const now = site.clock.now()
  const [device, group] = ['/api/v1/devices/home.wm.a/history?from=-1h', '/api/v1/history?from=-1h']
  for (const path of [device, group]) t.absent('missing' in (await site.ask(path)).json, 'all could be read')
  t.alike((await cliHistory(site)).notes, [])

  const from = now - 50 * minute
  const lost = { from, to: from + minute, worker: 'wm', site: 'home', reason: 'absent' as const }
  const damaged = {
    from: from + 5 * minute,
    to: from + 6 * minute,
    worker: 'wm',
    site: 'home',
    reason: 'damaged' as const,
  }
  site.farm.home.missing = [lost, damaged]
  site.farm.north.missing = [{ ...lost, worker: 'am', site: 'north' }]
  const one = (await site.ask(device)).json as Series
  t.alike(one.missing, [lost, damaged])
  t.alike(problemsOf(replyOf('/api/v1/devices/{id}/history'), one), [])
  const all = (await site.ask(group)).json as Series
  t.alike(
    all.missing?.map(({ worker, reason }) => `${worker} ${reason}`).sort(),
    ['am absent', 'wm absent', 'wm damaged'],
    'each once, however many devices it is of',
  )
  t.alike(problemsOf(replyOf('/api/v1/history'), all), [])
  const own = (await site.ask(group, { token: await site.tokenOf('read', ['north']) })).json as Series
  t.alike(own.missing, site.farm.north.missing, 'a token of a site hears of its own')

  const { notes } = await cliHistory(site)
  t.is(notes.length, 1, 'one line')
  t.ok(
    notes[0]!.includes(
      `${new Date(lost.from).toISOString()} to ${new Date(lost.to).toISOString()} of wm, neither here`,
    ),
  )
  t.ok(notes[0]!.includes('of wm, damaged'))
  const { paths } = (await site.ask('/api/openapi.json')).json
  for (const path of ['/api/v1/history', '/api/v1/devices/{id}/history']) {
    const { schema } = paths[path].get.responses['200'].content['application/json']
    t.ok(schema.properties.missing, `${path}: described`)
    t.absent(schema.required.includes('missing'))
  }
})

test('who is limited to a site reads as many events of it as are asked for, whatever others did since, its services too', async (t) => {
  const site = await openSite(t)
  const now = site.clock.now()
  const { home, north } = site.farm
  const event = (at: number, type: Event['type'], message: string, deviceId?: string): Event => ({
    at,
    type,
    message,
    ...(deviceId === undefined ? {} : { deviceId }),
  })
  north.change({
    events: [
      event(now - 3000, 'status', 'it mines', 'north.am.x'),
      event(now - 4000, 'service', 'the disk of am is nearly full'),
      event(now - 5000, 'inventory', 'it was removed', 'north.am.gone'),
      event(now - 6000, 'status', 'somebody else claims this', 'home.wm.a'),
    ],
  })
  const busy = Array.from({ length: 300 }, (_, ago) => event(now - ago, 'status', `busy ${ago}`, 'home.wm.a'))
  home.change({ events: [...busy, event(now - 400, 'service', 'the disk of wm is nearly full')] })

  const token = await site.tokenOf('read', ['north'])
  const messages = async (query: string, as = token) =>
    (await site.ask(`/api/v1/events${query}`, { token: as })).json.data.map((one: Event) => one.message)
  t.alike(await messages(''), ['it mines', 'the disk of am is nearly full', 'it was removed'], 'none of another site')
  t.alike(await messages('?limit=2'), ['it mines', 'the disk of am is nearly full'])
  t.is((await messages('', site.adminToken)).length, 100)
  const of = (id: string) => site.ask(`/api/v1/devices/${id}/events`, { token })
  t.is((await of('home.wm.a')).status, 404)
  t.is((await of('north.am.x')).json.data.length, 1)
})

test('of each interval the lowest, highest, mean and last value and how many samples it has are told if asked for; gaps are null', async (t) => {
  const site = await openSite(t)
  const ask = (query: string) => site.ask(`/api/v1/devices/home.wm.a/history?metrics=powerW&from=-1h&${query}`)
  t.absent('digests' in (await ask('step=1m')).json)
  const { step, at, digests } = (await ask('digest=min,max,count')).json
  t.is(step, '1m', 'they are of intervals, so the step is one')
  t.is(at.length, 2)
  t.alike(digests, { powerW: { min: [0, null], max: [4, null], count: [3, null] } })
  const all = (await ask('digest=min,max,mean,last,count&step=5m')).json
  t.alike(Object.keys(all.digests.powerW), ['min', 'max', 'mean', 'last', 'count'])
  t.alike(problemsOf(replyOf('/api/v1/devices/{id}/history'), all), [])
  for (const [query, path] of [
    ['digest=min&step=raw', '/digest'],
    ['digest=median', '/digest/0'],
  ]) {
    const { status, json } = await ask(query!)
    t.alike([status, json.problems[0].path], [400, path])
  }

  const { titles, rows } = await cliHistory(site, { metrics: 'powerW', digest: 'min,count' })
  t.alike(titles, ['time', 'powerW', 'powerW min', 'powerW count'])
  t.alike(
    rows.map(([, ...cells]) => cells),
    [
      [1, 0, 3],
      [null, null, null],
    ],
  )
  const { lines } = await cliHistory(site, { metrics: 'powerW', digest: 'max' }, true)
  t.alike(JSON.parse(lines[0]!).digests, { powerW: { max: [4, null] } })
})
