import test from 'brittle'
import type { ServiceRow } from '#rpc'
import { restart } from '../../src/cli/commands/restart.js'
import type { SiteClient } from '../../src/cli/site-client.js'

const [texas, ohio] = ['aa'.repeat(32), 'bb'.repeat(32)] as const

const row = (name: string, more: Partial<ServiceRow> = {}): ServiceRow => ({
  name,
  kind: 'device-worker',
  site: 'texas',
  node: texas,
  state: 'running',
  ready: true,
  reason: null,
  since: 1,
  restarts: 0,
  lastError: null,
  retryAt: null,
  heartbeatAt: null,
  pid: 7,
  version: '1',
  stats: {},
  ...more,
})

interface Asked {
  readonly process: boolean
  readonly site: string
  readonly node: string | null
}

/** A gateway that lists these services, and whose nodes start anew at once, as `anew` says. */
async function run(rows: ServiceRow[], args: string[] = [], anew: Partial<ServiceRow> = { pid: 1000 }) {
  const asked: (Asked & { name: string })[] = []
  const notes: string[] = []
  const client = {
    get: async () => ({ data: rows }),
    async send(_method: string, path: string, body: Asked) {
      const name = path.split('/').at(-2)!
      asked.push({ name, ...body })
      const ofThat = ({ site, node }: ServiceRow) => site === body.site && node === body.node
      const { pid } = rows.find((one) => ofThat(one) && one.name === name)!
      rows = rows.map((one) => (ofThat(one) && one.pid === pid ? { ...one, ...anew } : one))
    },
  } as unknown as SiteClient
  await restart.run({
    args,
    options: { wait: '1s' },
    env: {},
    signal: new AbortController().signal,
    site: async () => client,
    out: { note: (text: string) => notes.push(text), value: () => {} } as never,
  })
  return { asked, notes }
}

const codeOf = (job: Promise<unknown>) =>
  job.then(
    () => 'none',
    (error) => error.code,
  )

test('a service that cannot be reached is left as it is, and the others start anew', async (t) => {
  const lost = row('wm-lost', { node: ohio, site: 'ohio', state: 'unreachable', pid: null })
  const { asked, notes } = await run([lost, row('wm'), row('scanner')])
  t.alike(asked, [{ name: 'scanner', process: true, site: 'texas', node: texas }])
  t.ok(
    notes.some((note) => note.includes('wm-lost of ohio')),
    notes.join(),
  )
  t.is(await codeOf(run([lost, row('wm')], ['wm-lost'])), 'UNAVAILABLE')
  t.is(await codeOf(run([lost, row('wm')], ['nothing'])), 'NOT_FOUND')
})

test('processes of different machines are told apart though their numbers are alike, the gateway last', async (t) => {
  const own = { node: null, site: 'hq' }
  const { asked } = await run([
    row('api', { ...own, kind: 'gateway' }),
    row('commander', own),
    row('wm'),
    row('wm', { node: ohio }),
  ])
  t.alike(
    asked.map(({ name, site, node }) => [name, site, node]),
    [
      ['wm', 'texas', texas],
      ['wm', 'texas', ohio],
      ['commander', 'hq', null],
    ],
  )
})

test('in a container the new process has the number of the old one: it is back when its services began anew', async (t) => {
  const { asked } = await run([row('wm', { pid: 1 })], [], { pid: 1, since: 2 })
  t.is(asked.length, 1)
  t.is(await codeOf(run([row('wm', { pid: 1 })], [], {})), 'TIMEOUT')
})
