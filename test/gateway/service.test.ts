import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import test, { type Assertions } from 'brittle'
import fastify from 'fastify'
import { gateway } from '#gateway'
import { silentLog, systemClock } from '#model'
import { createNode } from '#node'
import { gatewayContract } from '#rpc'
import { listen } from '../../src/gateway/listen.js'
import { pageFolder, servePage } from '../../src/gateway/page.js'
import { until } from '../support/fake-clock.js'
import { listenTo } from './listen.js'
import { openSite } from './site.js'

async function occupy(t: Assertions): Promise<number> {
  const server: Server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return (server.address() as { port: number }).port
}

test('a port that is taken: the next free one if nobody insists, else said so', async (t) => {
  const port = await occupy(t)
  const bind = async (fallback: boolean) => {
    const app = fastify()
    t.teardown(() => app.close())
    return listen(app, { host: '127.0.0.1', port, fallback })
  }
  await t.exception(bind(false), { code: 'PORT_IN_USE' })
  const next = await bind(true)
  t.ok(next > port && next < port + 50, `${next} instead of ${port}`)
  const elsewhere = listen(fastify(), { host: '203.0.113.1', port: 0, fallback: true })
  await t.exception(elsewhere, { code: 'CONFIG_INVALID' })
})

test('the service says why it has no port, and the node lives on', async (t) => {
  const port = await occupy(t)
  const node = await createNode({
    site: 'home',
    storage: await t.tmp(),
    clock: systemClock,
    log: silentLog,
    services: [{ name: 'api', service: gateway, config: { port } }],
  })
  t.teardown(() => node.close())
  await node.ready()
  const [health] = node.services()
  t.not(health!.state, 'running')
  t.ok(health!.lastError?.includes(`port ${port}`), health!.lastError ?? '')
})

test('the port may be asked for and given up', async (t) => {
  const port = await occupy(t)
  const site = await openSite(t, { config: { port, portFallback: true } })
  t.ok(site.port > port)
  t.is((await site.node.connect(gatewayContract).address({})).wantedPort, port)
})

test('the configuration is checked', async (t) => {
  for (const wrong of [{ port: 70_000 }, { port: 'x' }, { colour: 'red' }, { allowedHosts: [''] }]) {
    const config = { port: 0, ...wrong }
    const made = createNode({
      site: 'home',
      storage: await t.tmp(),
      log: silentLog,
      services: [{ name: 'api', service: gateway, config }],
    })
    await t.exception(made, { code: 'CONFIG_INVALID' }, JSON.stringify(wrong))
  }
})

test('closing is quick: open streams and idle connections hold up nobody', async (t) => {
  const site = await openSite(t)
  const streams = await Promise.all(Array.from({ length: 5 }, () => listenTo(t, site)))
  await site.ask('/healthz')
  const started = performance.now()
  const { late } = await site.node.close()
  const tookMs = performance.now() - started
  t.alike(late, [])
  t.ok(tookMs < 3000, `${Math.round(tookMs)} ms`)
  await until(() => streams.every(({ ended }) => ended), 'the streams to end')
  await t.exception(site.ask('/healthz'))
})

async function pageOf(t: Assertions, files: Record<string, string>) {
  const root = join(await t.tmp(), 'web')
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(root, name, '..'), { recursive: true })
    await writeFile(join(root, name), text)
  }
  const app = fastify()
  t.teardown(() => app.close())
  await servePage(app, root)
  return (url: string) => app.inject({ url })
}

test('the page: its entry is asked for anew each time, hashed files are kept for ever', async (t) => {
  const get = await pageOf(t, {
    'index.html': '<!doctype html>page',
    'assets/main-abc123.js': 'run()',
    'icon.svg': '<svg/>',
    '.hidden': 'x',
  })
  const entry = await get('/')
  t.alike([entry.statusCode, entry.headers['cache-control'], entry.body], [200, 'no-cache', '<!doctype html>page'])
  t.is(entry.headers['content-type'], 'text/html; charset=utf-8')
  const script = await get('/assets/main-abc123.js')
  t.is(script.headers['cache-control'], 'public, max-age=31536000, immutable')
  t.ok(String(script.headers['content-type']).includes('javascript'))
  t.is((await get('/icon.svg')).headers['cache-control'], 'no-cache')
  for (const url of [
    '/assets/nope.js',
    '/.hidden',
    '/../package.json',
    '/%2e%2e/package.json',
    '/assets/..%2f..%2fpackage.json',
    '/api/nope',
  ]) {
    const { statusCode, body } = await get(url)
    t.ok(statusCode >= 400 && !body.includes('miningsdk"'), url)
  }
})

test('without a built page a plain one says how to build it', async (t) => {
  const get = await pageOf(t, {})
  const entry = await get('/')
  t.is(entry.statusCode, 200)
  t.ok(entry.body.includes('npm run build'))
  t.absent(/<style|<script|style=/.test(entry.body), 'nothing that the headers forbid')
})

test('the page is found from the source and from the compiled code', (t) => {
  const root = pageFolder()
  t.ok(root.endsWith(join('dist', 'web')))
  t.is(pageFolder(join(root, '..', 'src', 'gateway')), root)
})
