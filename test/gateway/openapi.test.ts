import test from 'brittle'
import { routes } from '#gateway'
import { closeBrowser, unable, visit } from '../web/browser.js'
import { openSite } from './site.js'

interface Operation {
  operationId: string
  summary: string
  tags: string[]
  security: object[]
  parameters?: { name: string; in: string; required: boolean; schema: object }[]
  requestBody?: { content: Record<string, { schema: object }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
}

test('the description is OpenAPI 3.1 and names every route once, with what it takes, answers and needs', async (t) => {
  const site = await openSite(t)
  const reply = await site.ask('/api/openapi.json', { token: null })
  t.is(reply.status, 200)
  const { openapi, info, paths, components } = reply.json as {
    openapi: string
    info: { title: string; version: string }
    paths: Record<string, Record<string, Operation>>
    components: { securitySchemes: object }
  }
  t.is(openapi, '3.1.0')
  t.ok(info.title && info.version)
  t.alike(Object.keys(components.securitySchemes), ['token', 'session'])

  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  t.alike(described.sort(), routes.map(({ method, path }) => `${method} ${path}`).sort())
  const ids = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId))
  t.is(new Set(ids).size, ids.length, 'every operation has its own id')

  for (const row of routes) {
    const name = `${row.method} ${row.path}`
    const operation = paths[row.path]![row.method.toLowerCase()]!
    const inPath = [...row.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
    const parameters = operation.parameters ?? []
    t.alike(
      parameters.filter((one) => one.in === 'path' && one.required).map((one) => one.name),
      inPath,
      `${name}: parameters of the path`,
    )
    const query = Object.keys((row.query as { properties?: object } | undefined)?.properties ?? {})
    t.alike(
      parameters
        .filter((one) => one.in === 'query')
        .map((one) => one.name)
        .sort(),
      query.sort(),
      `${name}: parameters of the query`,
    )
    t.is(operation.requestBody !== undefined, row.body !== undefined, `${name}: body`)
    t.is(operation.security.length === 0, row.scope === 'open', `${name}: security`)
    const statuses = Object.keys(operation.responses)
    t.ok(statuses.includes(String(row.status ?? (row.reply || row.type ? 200 : 204))), `${name}: ${statuses}`)
    t.ok(operation.responses.default?.content?.['application/problem+json'], `${name}: problems`)
  }
})

test('no reference of the description leads nowhere, and nothing in it is not JSON Schema', async (t) => {
  const site = await openSite(t)
  const document = (await site.ask('/api/openapi.json')).json
  const types = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null', 'http', 'apiKey'])
  const wrong: string[] = []
  const visit = (value: unknown, path: string) => {
    if (value === null || typeof value !== 'object') return
    for (const [key, inner] of Object.entries(value)) {
      if (key === '$ref' && !resolves(document, String(inner))) wrong.push(`${path}: ${inner}`)
      if (key.startsWith('~')) wrong.push(`${path}/${key}`)
      if (key === 'type' && typeof inner === 'string' && !types.has(inner)) wrong.push(`${path}: type ${inner}`)
      visit(inner, `${path}/${key}`)
    }
  }
  visit(document, '')
  t.alike(wrong, [])
})

function resolves(document: unknown, reference: string): boolean {
  const parts = reference.replace(/^#\//, '').split('/')
  return (
    parts.reduce((at: unknown, part) => (at as Record<string, unknown> | undefined)?.[part], document) !== undefined
  )
}

test('the viewer and its files come from here', async (t) => {
  const site = await openSite(t)
  const get = (path: string) => site.ask(path, { token: null })
  const moved = await get('/api/docs')
  t.alike([moved.status, moved.headers.location], [302, '/api/docs/'])
  const page = await get('/api/docs/')
  t.is(page.status, 200)
  t.ok(page.headers['content-security-policy'], 'under the same strict headers')
  const files = [...page.text.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map((match) => match[1])
  t.ok(files.length >= 4)
  for (const file of files) t.is((await get(`/api/docs/${file}`)).status, 200, file)
  t.absent(/(?:src|href)="(?:https?:)?\/\//.test(page.text), 'nothing from elsewhere')
  t.is((await get('/api/docs/json')).json.openapi, '3.1.0')
  t.is((await get('/api/docs/static/nope.js')).status, 404)
})

const reason = unable()
if (reason) test.skip(`the viewer works in a browser (${reason})`, () => {})
else
  test('the viewer works in a browser under the strict headers, and asks nobody else', {
    timeout: 60_000,
  }, async (t) => {
    t.teardown(closeBrowser, { order: 5 })
    const site = await openSite(t)
    const { page } = await visit(t)
    const elsewhere: string[] = []
    page.on('request', (request) => {
      if (!request.url().startsWith(site.url)) elsewhere.push(request.url())
    })
    await page.goto(`${site.url}/api/docs/`)
    await page.waitForSelector('.opblock')
    t.is(await page.locator('.opblock').count(), routes.length)
    t.alike(elsewhere, [])
  })
