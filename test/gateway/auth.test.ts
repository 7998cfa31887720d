import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'brittle'
import { routes } from '#gateway'
import { gatewayContract, includes } from '#rpc'
import { goodCalls, requestOf } from './calls.js'
import { openSite, type Site } from './site.js'

test('every route against every scope: refused below its own, let in from it on', async (t) => {
  const site = await openSite(t)
  const tokens = new Map<string, string | null>([['none', null]])
  for (const scope of ['read', 'control', 'admin'] as const) tokens.set(scope, await site.tokenOf(scope))
  for (const row of routes) {
    const call = goodCalls.find(({ route }) => route === `${row.method} ${row.path}`)
    if (!call) continue
    for (const [held, token] of tokens) {
      // Routes that end what they run on get a thing of their own each time.
      if (row.method === 'DELETE' && row.path.startsWith('/api/v1/devices')) restore(site)
      const { path, ...request } = await requestOf(site, call)
      const { status } = await site.ask(path, { ...request, token })
      const may = row.scope === 'open' || (held !== 'none' && includes(held as 'read', row.scope))
      const expected = may ? [200, 201, 202, 204] : held === 'none' ? [401] : [403]
      t.ok(expected.includes(status), `${call.route} with ${held}: ${status}`)
    }
  }
})

function restore(site: Site): void {
  const record = site.farm.home.record('home.wm.a')!
  site.farm.home.change({ records: [{ ...record, id: 'home.wm.b' }] })
}

test('a gateway that only reads refuses every change to everybody, and says so', async (t) => {
  const site = await openSite(t, { config: { readOnly: true } })
  for (const row of routes) {
    const call = goodCalls.find(({ route }) => route === `${row.method} ${row.path}`)
    if (!call || row.method === 'GET') continue
    const own = row.path.startsWith('/api/v1/tokens') || row.path.startsWith('/api/v1/session')
    const path = row.path.replace(/\{\w+\}/, row.path.includes('{key}') ? 'ab'.repeat(32) : 'one')
    const body = row.body ? { body: call.body } : {}
    const { status, json } = await site.ask(path, { method: row.method, ...body })
    if (own) t.absent(status === 403, `${call.route}: ${status}`)
    else t.alike([status, json?.code], [403, 'FORBIDDEN'], call.route)
  }
  t.is((await site.ask('/api/v1/session')).json.scope, 'read', 'the page offers nothing else')
  t.is((await site.ask('/api/v1/tokens')).status, 200)
})

test('who asks for the head alone needs the same scope', async (t) => {
  const site = await openSite(t)
  t.is((await site.ask('/api/v1/audit', { method: 'HEAD', token: null })).status, 401)
  t.is((await site.ask('/api/v1/audit', { method: 'HEAD', token: await site.tokenOf('read') })).status, 403)
  const head = await site.ask('/api/v1/audit', { method: 'HEAD' })
  t.alike([head.status, head.text], [200, ''])
})

test('secrets at rest: the admin token in its own file, all others as hashes, nothing readable by others', async (t) => {
  const site = await openSite(t)
  const token = await site.tokenOf('read')
  await site.ask('/api/v1/session', { method: 'POST', body: { token } })
  t.is((await stat(join(site.storage, 'admin.token'))).mode & 0o777, 0o600)
  t.ok(/^msdk_admin_[0-9a-f]{48}$/.test(site.adminToken))
  const folder = join(site.storage, 'api')
  const secret = token.split('_')[2]!
  for (const name of await readdir(folder)) {
    t.is((await stat(join(folder, name))).mode & 0o077, 0, `${name} is closed to others`)
    t.absent((await readFile(join(folder, name), 'utf8')).includes(secret), `${name} does not hold the secret`)
  }
})

test('an admin token that others may read is closed, a file that holds none is refused', async (t) => {
  const storage = await t.tmp()
  const token = `msdk_admin_${'ab'.repeat(24)}`
  await writeFile(join(storage, 'admin.token'), `${token}\n`, { mode: 0o644 })
  const site = await openSite(t, { storage })
  t.is((await stat(join(storage, 'admin.token'))).mode & 0o777, 0o600)
  t.is((await site.ask('/api/v1/session', { token })).json.scope, 'admin')
})

test('tokens: shown once, found by prefix, used, expired, revoked', async (t) => {
  const site = await openSite(t)
  const expiresAt = site.clock.now() + 60_000
  const made = await site.ask('/api/v1/tokens', { method: 'POST', body: { name: 'ci', scope: 'read', expiresAt } })
  const { token, id } = made.json
  const listed = async () => (await site.ask('/api/v1/tokens')).json.data.find((one: { id: string }) => one.id === id)
  t.is((await listed()).lastUsedAt, null)
  t.ok(token.startsWith((await listed()).prefix))
  t.absent('token' in (await listed()) || 'hash' in (await listed()))
  t.is((await site.ask('/api/v1/fleet', { token })).status, 200)
  t.is((await listed()).lastUsedAt, site.clock.now())
  await site.clock.advance(60_000)
  t.is((await site.ask('/api/v1/fleet', { token })).status, 401, 'expired')

  const other = await site.tokenOf('read')
  const cookie = await signIn(site, { token: other })
  t.is((await site.ask('/api/v1/session', { token: null, headers: { cookie } })).status, 200)
  t.is((await site.ask(`/api/v1/tokens/${other.split('_')[1]}`, { method: 'DELETE' })).status, 204)
  t.is((await site.ask('/api/v1/fleet', { token: other })).status, 401, 'revoked')
  t.is(
    (await site.ask('/api/v1/session', { token: null, headers: { cookie } })).status,
    401,
    'and its sessions with it',
  )
  t.is((await site.ask('/api/v1/tokens/admin', { method: 'DELETE' })).status, 409)
  const past = await site.ask('/api/v1/tokens', { method: 'POST', body: { name: 'x', scope: 'read', expiresAt: 1 } })
  t.alike([past.status, past.json.problems[0].path], [400, '/expiresAt'])
})

test('a token limited to sites sees and makes nothing beyond them', async (t) => {
  const site = await openSite(t)
  const north = await site.tokenOf('admin', ['north'])
  const get = (path: string) => site.ask(path, { token: north })
  const seen = (await get('/api/v1/devices')).json
  t.alike([seen.total, seen.data[0].id], [1, 'north.am.x'])
  t.is((await get('/api/v1/devices?site=home')).json.total, 0)
  t.is((await get('/api/v1/fleet')).json.totals.devices, 1)
  t.alike(
    (await get('/api/v1/sites')).json.data.map((one: { site: string }) => one.site),
    ['north'],
  )
  for (const part of ['', '/raw', '/history', '/events', '/settings']) {
    t.is((await get(`/api/v1/devices/home.wm.a${part}`)).status, 404, `another site's device${part}`)
  }
  t.is((await get('/api/v1/devices/north.am.x/history')).status, 200)
  t.is((await get('/api/v1/audit')).status, 403)
  t.alike((await get('/api/v1/services')).json.data, [])
  t.absent((await get('/metrics?devices=1')).text.includes('home'))
  const make = (sites: string[] | null) =>
    site.ask('/api/v1/tokens', { method: 'POST', token: north, body: { name: 'x', scope: 'read', sites } })
  t.is((await make(null)).status, 403)
  t.is((await make(['north', 'home'])).status, 403)
  t.is((await make(['north'])).status, 201)
  t.alike(
    (await get('/api/v1/tokens')).json.data.map((one: { sites: string[] }) => one.sites),
    [['north'], ['north']],
  )
  t.is((await site.ask('/api/v1/tokens/admin', { method: 'DELETE', token: north })).status, 404)
  const reboot = { command: 'reboot', targets: { ids: ['home.wm.a'] } }
  t.is((await site.ask('/api/v1/commands', { method: 'POST', token: north, body: reboot })).status, 503)
  t.alike(site.farm.calls, [], 'nothing reached the services of the other site')
})

test('a sign-in link: one browser, once, within ten minutes', async (t) => {
  const site = await openSite(t)
  const link = () => site.node.connect(gatewayContract).signInCode({})
  const { code } = await link()
  const first = await site.ask('/api/v1/session', { method: 'POST', token: null, body: { code } })
  t.is(first.json.scope, 'admin')
  t.is((await site.ask('/api/v1/session', { method: 'POST', token: null, body: { code } })).status, 401, 'used')
  const late = await link()
  await site.clock.advance(10 * 60_000)
  t.is((await site.ask('/api/v1/session', { method: 'POST', token: null, body: { code: late.code } })).status, 401)
})

test('a session: out of reach of scripts, ended by signing out and by time, kept over a restart', async (t) => {
  const site = await openSite(t)
  const { code } = await site.node.connect(gatewayContract).signInCode({})
  const opened = await site.ask('/api/v1/session', { method: 'POST', token: null, body: { code } })
  const [set] = opened.headers['set-cookie'] as string[]
  for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/']) t.ok(set!.includes(part), part)
  const cookie = set!.split(';')[0]!
  const status = async () => (await site.ask('/api/v1/session', { token: null, headers: { cookie } })).status
  t.is(await status(), 200)
  await site.node.restart('api')
  const { url } = await site.node.connect(gatewayContract).address({})
  const origin = { cookie, 'sec-fetch-site': 'same-origin' }
  t.is((await fetch(`${url}/api/v1/session`, { headers: { cookie } })).status, 200, 'after a restart')
  t.is((await fetch(`${url}/api/v1/session`, { method: 'DELETE', headers: origin })).status, 204)
  t.is((await fetch(`${url}/api/v1/session`, { headers: { cookie } })).status, 401, 'signed out')
})

test('a session ends after a week', async (t) => {
  const site = await openSite(t)
  const cookie = await signIn(site, { token: site.adminToken })
  const status = async () => (await site.ask('/api/v1/session', { token: null, headers: { cookie } })).status
  await site.clock.suspend(7 * 86_400_000 - 1)
  t.is(await status(), 200)
  await site.clock.advance(1)
  t.is(await status(), 401)
})

test('a write with the cookie must come from our own page', async (t) => {
  const site = await openSite(t)
  const cookie = await signIn(site, { token: site.adminToken })
  const host = `127.0.0.1:${site.port}`
  const own = `http://${host}`
  const table: [headers: Record<string, string>, status: number][] = [
    [{}, 403],
    [{ origin: own }, 202],
    [{ origin: own, 'sec-fetch-site': 'same-origin' }, 202],
    [{ 'sec-fetch-site': 'same-origin' }, 202],
    [{ origin: 'http://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: own, 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'none' }, 403],
    [{ origin: `http://127.0.0.1:${site.port + 1}` }, 403],
    [{ origin: `http://${host}.evil.example` }, 403],
  ]
  const body = { command: 'reboot', targets: { ids: ['home.wm.a'] } }
  for (const [headers, expected] of table) {
    const reply = await site.ask('/api/v1/commands', {
      method: 'POST',
      token: null,
      body,
      headers: { cookie, ...headers },
    })
    t.is(reply.status, expected, JSON.stringify(headers))
  }
  const evil = { origin: 'http://evil.example' }
  const bearer = await site.ask('/api/v1/commands', { method: 'POST', body, headers: evil })
  t.is(bearer.status, 202, 'a token is not sent by browsers on their own')
  const foreign = await site.ask('/api/v1/session', { method: 'POST', body: { token: site.adminToken }, headers: evil })
  t.is(foreign.status, 403, 'nor is anybody signed in from a strange page')
})

test('only our own host names are answered', async (t) => {
  const site = await openSite(t, { config: { allowedHosts: ['farm.lan'] } })
  const { port } = site
  const table: [host: string, status: number][] = [
    [`127.0.0.1:${port}`, 200],
    [`localhost:${port}`, 200],
    ['LOCALHOST', 200],
    [`[::1]:${port}`, 200],
    [`farm.lan:${port}`, 200],
    ['evil.example', 403],
    [`127.0.0.1.evil.example:${port}`, 403],
    [`localhost.evil.example`, 403],
    [`192.168.1.5:${port}`, 403],
    ['user@localhost', 403],
    ['localhost:3000:1', 403],
  ]
  for (const path of ['/healthz', '/api/v1/fleet', '/', '/nope']) {
    for (const [host, expected] of table) {
      const { status } = await site.ask(path, { headers: { host } })
      const answered = path === '/nope' ? 404 : 200
      t.is(status, expected === 200 ? answered : 403, `${path} as ${host}`)
    }
  }
})

test('bound to everything, any address is answered, but still no strange name', async (t) => {
  const site = await openSite(t, { config: { host: '0.0.0.0' } })
  t.is(site.url, `http://127.0.0.1:${site.port}`)
  t.is((await site.ask('/healthz', { headers: { host: '192.168.1.5:3000' } })).status, 200)
  t.is((await site.ask('/healthz', { headers: { host: 'evil.example' } })).status, 403)
})

test('guessing is slowed down; who has the right token never waits', async (t) => {
  const site = await openSite(t)
  const guess = (token: string) => site.ask('/api/v1/fleet', { token })
  const wrong = `msdk_admin_${'00'.repeat(24)}`
  for (let i = 0; i < 10; i++) t.is((await guess(wrong)).status, 401)
  const limited = await guess(wrong)
  t.alike([limited.status, limited.json.code, limited.headers['retry-after']], [429, 'RATE_LIMITED', '6'])
  t.is((await guess(site.adminToken)).status, 200)
  const code = await site.ask('/api/v1/session', { method: 'POST', token: null, body: { code: 'guess' } })
  t.is(code.status, 429)
  await site.clock.advance(6000)
  t.is((await guess(wrong)).status, 401)
})

test('what comes too often from one caller is put off, and nobody else is', async (t) => {
  const site = await openSite(t)
  const busy = await site.tokenOf('read')
  const statuses = new Set<number>()
  for (let i = 0; i < 20; i++) {
    const round = await Promise.all(Array.from({ length: 55 }, () => site.ask('/healthz', { token: busy })))
    for (const { status } of round) statuses.add(status)
  }
  t.alike([...statuses].sort(), [200, 429])
  t.is((await site.ask('/healthz')).status, 200)
  await site.clock.advance(1000)
  t.is((await site.ask('/healthz', { token: busy })).status, 200)
})

async function signIn(site: Site, body: unknown): Promise<string> {
  const { headers } = await site.ask('/api/v1/session', { method: 'POST', token: null, body })
  return (headers['set-cookie'] as string[])[0]!.split(';')[0]!
}
