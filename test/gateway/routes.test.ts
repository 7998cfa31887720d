import test from 'brittle'
import { routes } from '#gateway'
import { problemsOf, SdkError, Type } from '#model'
import { defineService } from '#node'
import { gatewayContract } from '#rpc'
import { goodCalls, requestOf } from './calls.js'
import { openSite } from './site.js'

const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`
const streams = routes.filter(({ type }) => type === 'text/event-stream').map(nameOf)

test('every route is tried here', (t) => {
  t.alike([...goodCalls.map(({ route }) => route), ...streams].sort(), routes.map(nameOf).sort())
})

test('every route answers, with the status and in the shape that it declares', async (t) => {
  const site = await openSite(t)
  for (const call of goodCalls) {
    const row = routes.find((one) => nameOf(one) === call.route)!
    const { path, ...request } = await requestOf(site, call)
    const reply = await site.ask(path, request)
    t.is(reply.status, call.status ?? 200, `${call.route} ${reply.status === (call.status ?? 200) ? '' : reply.text}`)
    if (row.reply) t.alike(problemsOf(row.reply, reply.json), [], `${call.route} in its shape`)
    else if (!row.type) t.is(reply.text, '')
    t.is(reply.headers['cache-control'], 'no-store')
  }
})

test('a made thing is found at its Location', async (t) => {
  const site = await openSite(t)
  for (const route of ['POST /api/v1/devices', 'POST /api/v1/commands', 'POST /api/v1/scans']) {
    const { path, ...request } = await requestOf(site, goodCalls.find((call) => call.route === route)!)
    const { headers } = await site.ask(path, request)
    t.is((await site.ask(headers.location as string)).status, 200, headers.location as string)
  }
})

test('a device that is there already is told, not doubled', async (t) => {
  const site = await openSite(t)
  const add = () => site.ask('/api/v1/devices', { method: 'POST', body: { entries: [{ host: '127.0.0.9' }] } })
  t.is((await add()).status, 201)
  const again = await add()
  t.is(again.status, 200)
  t.alike(again.json, { added: [], existing: ['home.wm.127.0.0.9'] })
  t.is(again.headers.location, '/api/v1/devices/home.wm.127.0.0.9')
})

test('devices are paged, counted and cut down to the fields that are wanted', async (t) => {
  const site = await openSite(t)
  const first = (await site.ask('/api/v1/devices?limit=3&fields=status')).json
  t.is(first.total, 5)
  t.alike(
    first.data.map(Object.keys),
    first.data.map(() => ['id', 'status']),
  )
  const rest = (await site.ask(`/api/v1/devices?limit=3&fields=status&cursor=${encodeURIComponent(first.nextCursor)}`))
    .json
  t.is(rest.nextCursor, null)
  const ids = [...first.data, ...rest.data].map(({ id }: { id: string }) => id)
  t.alike(ids, ['home.wm.a', 'home.wm.b', 'home.wm.c', 'home.wm.off', 'north.am.x'])
  const offline = (await site.ask('/api/v1/devices?status=offline')).json
  t.alike([offline.total, offline.data[0].id], [1, 'home.wm.off'])
})

test('the fleet says that devices are simulated', async (t) => {
  const plain = await openSite(t)
  t.is((await plain.ask('/api/v1/fleet')).json.simulated, false)
  const record = plain.farm.home.record('home.wm.a')!
  plain.farm.home.change({ records: [{ ...record, simulated: true }] })
  t.is((await plain.ask('/api/v1/fleet')).json.simulated, true)
  const demo = await openSite(t, { demo: true })
  t.is((await demo.ask('/api/v1/fleet')).json.simulated, true)
  t.is((await demo.ask('/api/v1/node')).json.demo, true)
})

test('services are called in the name of who asks', async (t) => {
  const site = await openSite(t)
  const token = await site.tokenOf('control')
  const id = token.split('_')[1]
  const sent = await site.ask('/api/v1/commands', {
    method: 'POST',
    token,
    body: { command: 'reboot', targets: { filter: { kind: ['miner'] } } },
    headers: { 'idempotency-key': 'once' },
  })
  t.is(sent.json.id, 'once', 'the idempotency key went along')
  t.alike(
    site.farm.calls.map(({ caller }) => caller),
    [`token:${id}`],
  )
})

test('history: the last 24 hours at a step that suits, unless told otherwise', async (t) => {
  const site = await openSite(t)
  const now = site.clock.now()
  const of = async (query: string) => (await site.ask(`/api/v1/devices/home.wm.a/history?${query}`)).json
  const day = await of('')
  t.alike([day.from, day.to, day.step], [now - 86_400_000, now, '5m'])
  t.is((await of('from=-1h')).step, 'raw')
  t.is((await of('from=-30d')).step, '1h')
  t.is((await of('from=-2w&to=-1w')).to, now - 7 * 86_400_000)
  t.is((await of(`from=${new Date(now - 1000).toISOString()}`)).from, now - 1000)
  t.alike(Object.keys((await of('metrics=powerW')).series), ['powerW'])
  t.is((await site.ask('/api/v1/history?from=-1h')).json.step, '1m', 'a group has no raw samples')
})

test('the gateway tells its address and gives sign-in links to who may', async (t) => {
  const site = await openSite(t)
  const client = site.node.connect(gatewayContract)
  t.is((await client.address({})).url, `http://127.0.0.1:${site.port}`)
  const { url, code } = await client.signInCode({})
  t.is(url, `${site.url}/#code=${code}`)
  const reader = site.node.connect(gatewayContract, { caller: { id: 'somebody', scope: 'control' } })
  await t.exception(reader.signInCode({}), { code: 'FORBIDDEN' })
})

test('ready: tells strangers no details', async (t) => {
  const site = await openSite(t)
  t.alike((await site.ask('/readyz', { token: null })).json, { status: 'ready' })
  t.alike((await site.ask('/readyz')).json, { status: 'ready', reasons: [] })
})

test('ready: 503 while a service comes up, and only degraded once it broke: the page that says so stays', async (t) => {
  let ready: (reason: string | null) => void = () => {}
  let broken = false
  const slow = defineService({
    kind: 'slow',
    config: Type.Object({}),
    start(ctx) {
      if (broken) throw new SdkError('STORE_FAILED', 'the disk is full')
      ready = ctx.ready
      ctx.ready('warming up')
    },
  })
  const site = await openSite(t, { services: [{ name: 'slow', service: slow, config: {} }] })
  const early = await site.ask('/readyz')
  t.alike([early.status, early.json.code], [503, 'UNAVAILABLE'])
  t.ok(early.json.detail.includes('slow (warming up)'), early.json.detail)
  t.absent((await site.ask('/readyz', { token: null })).text.includes('slow'))
  ready(null)
  t.is((await site.ask('/readyz')).status, 200)
  broken = true
  await site.node.restart('slow').catch(() => {})
  const late = await site.ask('/readyz')
  t.is(late.status, 200)
  t.is(late.json.status, 'degraded')
  const [{ service, reason }] = late.json.reasons
  t.is(service, 'slow')
  t.ok(reason.includes('the disk is full'), reason)
})
