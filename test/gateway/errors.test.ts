import { connect } from 'node:net'
import test from 'brittle'
import { errorCodes, matches, SdkError, silentLog, Type } from '#model'
import { defineService } from '#node'
import { commander, serve } from '#rpc'
import { gatewayError, ProblemSchema, problemOf } from '../../src/gateway/problem.js'
import { openSite, type Reply, type Site } from './site.js'

const post = (body: unknown) => ({ method: 'POST', body })

test('every refusal is problem+json with a code, and says where it hurts', async (t) => {
  const site = await openSite(t)
  const json = { 'content-type': 'application/json' }
  const table: [what: string, reply: Promise<Reply>, status: number, code: string, path?: string][] = [
    ['no such path', site.ask('/api/v1/nope'), 404, 'NOT_FOUND'],
    ['no such file', site.ask('/nope.js'), 404, 'NOT_FOUND'],
    ['another method', site.ask('/api/v1/fleet', { method: 'PUT' }), 404, 'NOT_FOUND'],
    ['no such device', site.ask('/api/v1/devices/nobody'), 404, 'NOT_FOUND'],
    ['no such command', site.ask('/api/v1/commands/nobody'), 404, 'NOT_FOUND'],
    ['no such scan', site.ask('/api/v1/scans/nobody'), 404, 'NOT_FOUND'],
    ['no such token', site.ask('/api/v1/tokens/nobody', { method: 'DELETE' }), 404, 'NOT_FOUND'],
    ['an id that is none', site.ask('/api/v1/devices/a%20b'), 400, 'BAD_REQUEST', '/id'],
    ['an id too long', site.ask(`/api/v1/devices/${'a'.repeat(200)}`), 400, 'BAD_REQUEST', '/id'],
    ['half an escape', site.ask('/api/v1/devices/%zz'), 400, 'BAD_REQUEST'],
    ['an unknown parameter', site.ask('/api/v1/devices?colour=red'), 400, 'BAD_REQUEST', '/colour'],
    ['an unknown value', site.ask('/api/v1/devices?status=mining,happy'), 400, 'BAD_REQUEST', '/status/1'],
    ['a number that is none', site.ask('/api/v1/devices?limit=many'), 400, 'BAD_REQUEST', '/limit'],
    ['a number out of range', site.ask('/api/v1/devices?limit=100000'), 400, 'BAD_REQUEST', '/limit'],
    ['a parameter given twice', site.ask('/api/v1/devices?q=a&q=b'), 400, 'BAD_REQUEST', '/q'],
    ['an unknown field', site.ask('/api/v1/devices?fields=colour'), 400, 'BAD_REQUEST', '/fields/0'],
    ['a time that is none', site.ask('/api/v1/history?from=yesterday'), 400, 'BAD_REQUEST', '/from'],
    ['an end before the begin', site.ask('/api/v1/history?from=-1h&to=-2h'), 400, 'BAD_REQUEST', '/from'],
    ['an unknown metric', site.ask('/api/v1/devices/home.wm.a/history?metrics=joy'), 400, 'BAD_REQUEST', '/metrics/0'],
    ['an unknown grouping', site.ask('/api/v1/fleet?groupBy=colour'), 400, 'BAD_REQUEST', '/groupBy'],
    ['no body', site.ask('/api/v1/commands', { method: 'POST' }), 400, 'BAD_REQUEST', ''],
    ['an empty body', site.ask('/api/v1/commands', { method: 'POST', raw: '', headers: json }), 400, 'BAD_REQUEST'],
    ['half a body', site.ask('/api/v1/commands', { method: 'POST', raw: '{"a":', headers: json }), 400, 'BAD_REQUEST'],
    [
      'a body of another type',
      site.ask('/api/v1/commands', { method: 'POST', raw: 'a=b', headers: { 'content-type': 'text/plain' } }),
      400,
      'BAD_REQUEST',
    ],
    [
      'a body that reaches for the prototype',
      site.ask('/api/v1/commands', { method: 'POST', raw: '{"__proto__":{"a":1}}', headers: json }),
      400,
      'BAD_REQUEST',
    ],
    ['a list for an object', site.ask('/api/v1/commands', post([])), 400, 'BAD_REQUEST', ''],
    [
      'an unknown key',
      site.ask('/api/v1/tokens', post({ name: 'x', scope: 'read', colour: 'red' })),
      400,
      'BAD_REQUEST',
      '/colour',
    ],
    ['a missing key', site.ask('/api/v1/tokens', post({ name: 'x' })), 400, 'BAD_REQUEST', '/scope'],
    [
      'an unknown command',
      site.ask('/api/v1/commands', post({ command: 'fly', targets: { ids: ['a'] } })),
      400,
      'BAD_REQUEST',
      '/command',
    ],
    [
      'no targets',
      site.ask('/api/v1/commands', post({ command: 'reboot', targets: { ids: [] } })),
      400,
      'BAD_REQUEST',
      '/targets/ids',
    ],
    [
      'a wrong entry',
      site.ask('/api/v1/devices', post({ entries: [{ host: 'a' }, { host: 'b', port: 0 }] })),
      400,
      'BAD_REQUEST',
      '/entries/1/port',
    ],
    ['a wrong host', site.ask('/api/v1/devices', post({ host: 'a b' })), 400, 'BAD_REQUEST', '/host'],
    [
      'an unknown worker',
      site.ask('/api/v1/devices', post({ host: '127.0.0.1', worker: 'nobody' })),
      400,
      'BAD_REQUEST',
      '/worker',
    ],
    [
      'a wrong idempotency key',
      site.ask('/api/v1/commands', {
        ...post({ command: 'reboot', targets: { ids: ['home.wm.a'] } }),
        headers: { 'idempotency-key': 'a b' },
      }),
      400,
      'BAD_REQUEST',
    ],
    [
      'too large',
      site.ask('/api/v1/commands', { method: 'POST', raw: `"${'a'.repeat(3 << 20)}"`, headers: json }),
      413,
      'TOO_LARGE',
    ],
    ['a device that is away', site.ask('/api/v1/devices/home.wm.off/raw'), 502, 'DEVICE_UNREACHABLE'],
    ['a worker that is away', site.ask('/api/v1/devices/north.am.x/raw'), 503, 'UNAVAILABLE'],
    ['no token', site.ask('/api/v1/fleet', { token: null }), 401, 'UNAUTHENTICATED'],
    [
      'a token of another make',
      site.ask('/api/v1/fleet', { token: null, headers: { authorization: 'Basic YTpi' } }),
      401,
      'UNAUTHENTICATED',
    ],
  ]
  for (const [what, asked, status, code, path] of table) {
    const { status: actual, json, headers, text } = await asked
    t.alike([actual, json?.code, json?.status], [status, code, status], `${what} ${actual === status ? '' : text}`)
    t.ok(matches(ProblemSchema, json), `${what}: a problem`)
    t.is(headers['content-type'], 'application/problem+json; charset=utf-8')
    t.ok(
      headers['content-security-policy'] && headers['x-content-type-options'] === 'nosniff',
      `${what}: strict headers`,
    )
    if (path !== undefined) {
      const paths = json.problems?.map((problem: { path: string }) => problem.path)
      t.ok(paths?.includes(path), `${what}: ${path} in ${JSON.stringify(paths)}`)
    }
  }
  t.alike(site.farm.calls, [], 'nothing of it reached a service')
})

test('the query is never part of what an error repeats', async (t) => {
  const site = await openSite(t)
  t.absent((await site.ask('/api/v1/nope?token=secret')).text.includes('secret'))
})

test('what breaks inside is told to the log, not to the caller', async (t) => {
  const logged: object[] = []
  const log = { ...silentLog, error: (facts: object) => void logged.push(facts), child: () => log }
  const broken = defineService({
    kind: 'commander',
    config: Type.Object({}),
    start(ctx) {
      const fail = () => {
        throw new Error('cannot open /secret/path')
      }
      ctx.provide(commander, serve(commander, { submit: fail, get: fail, list: fail, cancel: fail }))
    },
  })
  const site = await openSite(t, { log, services: [{ name: 'commander', service: broken, config: {} }] })
  const reply = await site.ask('/api/v1/commands')
  t.alike([reply.status, reply.json.code], [500, 'INTERNAL'])
  t.absent(reply.text.includes('/secret/path'))
  const request = (logged.find((facts) => 'request' in facts) as { request: string }).request
  t.ok(reply.json.detail.includes(request), 'by the id of the request the log line is found')
})

test('every code of the table has its status, title and action in the problem', (t) => {
  for (const [code, facts] of Object.entries(errorCodes)) {
    const problem = problemOf(new SdkError(code as keyof typeof errorCodes, 'why'), '/path?a=b')
    t.alike(
      [problem.status, problem.title, problem.action, problem.code, problem.instance],
      [facts.status, facts.title, facts.action, code, '/path'],
    )
  }
  t.is(gatewayError(new Error('x')).code, 'INTERNAL')
  t.is(gatewayError('x').code, 'INTERNAL')
  t.is(gatewayError(undefined).code, 'INTERNAL')
})

test('what is not HTTP is answered with a problem too, and cut', async (t) => {
  const site = await openSite(t)
  const table: [sent: string, status: number][] = [
    ['hello\r\n\r\n', 400],
    ['GET / HTTP/9.9\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n', 403],
    ['GET /healthz HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n', 403],
    ['GET /healthz HTTP/1.0\r\n\r\n', 403],
    [`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'a'.repeat(70_000)}\r\n\r\n`, 431],
    ['POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n', 400],
    [
      'POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n',
      400,
    ],
    ['GET http://evil.example/healthz HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n', 403],
  ]
  for (const [sent, status] of table) {
    const text = await exchange(site, sent)
    t.ok(text.startsWith(`HTTP/1.1 ${status} `), `${sent.slice(0, 40).trim()}: ${text.split('\r\n', 1)[0]}`)
    t.ok(text.includes('application/problem+json'), 'as a problem')
  }
  t.is((await site.ask('/healthz')).status, 200, 'and nobody else is disturbed')
})

/** What the gateway sends back to these bytes until it closes. */
function exchange(site: Site, sent: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(site.port, '127.0.0.1', () => socket.write(sent))
    let text = ''
    socket.setTimeout(5000, () => socket.destroy(new Error(`no end: ${text}`)))
    socket.setEncoding('utf8')
    socket.on('data', (part) => {
      text += part
      if (/\r\n\r\n\{.*\}$/s.test(text)) socket.end()
    })
    socket.on('close', () => resolve(text))
    socket.on('error', (error) => (text ? resolve(text) : reject(error)))
  })
}
