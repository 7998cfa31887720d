import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type Assertions } from 'brittle'
import fc from 'fast-check'
import { DeviceEntrySchema, SdkError, Type } from '#model'
import {
  type ConfigKind,
  configJsonSchema,
  type Env,
  effectiveConfig,
  loadConfig,
  logLevelOf,
  readConfig,
  secretOf,
} from '#node'

const kinds: readonly ConfigKind[] = [
  {
    kind: 'device-worker',
    matches: (entry) => 'lib' in entry,
    schema: Type.Object(
      {
        lib: Type.String({ minLength: 1 }),
        deviceType: Type.Optional(Type.String()),
        devices: Type.Array(DeviceEntrySchema, { default: [] }),
        intervalMs: Type.Integer({ minimum: 100, default: 10_000 }),
      },
      { additionalProperties: false },
    ),
  },
  {
    kind: 'gateway',
    matches: (entry) => 'port' in entry && !('role' in entry),
    schema: Type.Object(
      { port: Type.Integer({ minimum: 0, maximum: 65535 }), host: Type.String({ default: '127.0.0.1' }) },
      { additionalProperties: false },
    ),
  },
  {
    kind: 'dht',
    matches: ({ role }) => role === 'dht',
    schema: Type.Object({ role: Type.Literal('dht'), port: Type.Optional(Type.Integer()) }),
  },
]

const specification = `{
  "mode": "microservices",
  "runtime": "pm2",
  "services": [
    { "name": "api-gateway", "port": 3000 },
    { "name": "wm-m56s", "lib": "miner-whatsminer", "deviceType": "M56S" },
    { "name": "am-s19xp", "lib": "miner-antminer", "deviceType": "S19XP" }
  ]
}
`

const read = (document: unknown, env: Env = {}) => readConfig(document, { env, kinds, cwd: '/site' })

/** What is wrong, a line each. */
function wrong(document: unknown, env: Env = {}): string[] {
  try {
    read(document, env)
  } catch (error) {
    if (!(error instanceof SdkError) || error.code !== 'CONFIG_INVALID') throw error
    return (error.details as { problems: { path: string; message: string }[] }).problems.map(
      ({ path, message }) => `${path}: ${message}`,
    )
  }
  return []
}

async function write(t: Assertions, text: string, name = 'miningsdk.config.json') {
  const cwd = await t.tmp()
  await writeFile(join(cwd, name), text)
  return cwd
}

async function refusal(options: Parameters<typeof loadConfig>[0]): Promise<string> {
  try {
    await loadConfig(options)
  } catch (error) {
    if (error instanceof SdkError && error.code === 'CONFIG_INVALID') return error.message
    throw error
  }
  throw new Error('it must be refused')
}

test("the specification's example loads as it stands", async (t) => {
  const cwd = await write(t, specification)
  const config = await loadConfig({ env: {}, kinds, cwd })
  t.alike(config, {
    file: join(cwd, 'miningsdk.config.json'),
    site: 'home',
    mode: 'microservices',
    runtime: 'pm2',
    storage: join(cwd, 'data'),
    network: { bootstrap: null, site: null, port: null, host: null, relay: false, trustRecordHours: 168 },
    services: [
      { name: 'api-gateway', kind: 'gateway', maxMemoryMb: 2048, config: { port: 3000, host: '127.0.0.1' } },
      {
        name: 'wm-m56s',
        kind: 'device-worker',
        maxMemoryMb: 2048,
        config: { lib: 'miner-whatsminer', deviceType: 'M56S', devices: [], intervalMs: 10_000 },
      },
      {
        name: 'am-s19xp',
        kind: 'device-worker',
        maxMemoryMb: 2048,
        config: { lib: 'miner-antminer', deviceType: 'S19XP', devices: [], intervalMs: 10_000 },
      },
    ],
    only: null,
    warnings: [],
  })
})

test('without a file in the working folder there is no configuration', async (t) => {
  t.is(await loadConfig({ env: {}, kinds, cwd: await t.tmp() }), undefined)
})

test('a file that was named and does not exist is an error', async (t) => {
  const cwd = await t.tmp()
  const message = `${join(cwd, 'site.json')}: there is no such file`
  t.is(await refusal({ env: { MININGSDK_CONFIG: 'site.json' }, kinds, cwd }), message)
  t.is(await refusal({ env: {}, file: 'site.json', kinds, cwd }), message)
})

test('a file that cannot be read is an error with its name', async (t) => {
  const cwd = await t.tmp()
  await mkdir(join(cwd, 'miningsdk.config.json'))
  t.ok((await refusal({ env: {}, kinds, cwd })).startsWith(`${join(cwd, 'miningsdk.config.json')}: cannot be read: `))
})

test('MININGSDK_CONFIG names another file, whose folder relative paths are of', async (t) => {
  const cwd = await write(t, '{ "site": "north", "storage": "store" }', 'other.json')
  const config = await loadConfig({ env: { MININGSDK_CONFIG: join(cwd, 'other.json') }, kinds, cwd: '/' })
  t.is(config?.site, 'north')
  t.is(config?.storage, join(cwd, 'store'))
})

test('text that is not JSON is refused with line and column', async (t) => {
  const cases: [string, string][] = [
    ['{\n  "site": "home",\n}', 'line 3, column 1: a comma before the closing bracket'],
    ['{\n  "site": home\n}', 'line 2, column 11: expected a value, found "h"'],
    ['{ "site": "home"\n  "mode": "single" }', 'line 2, column 3: expected "," or "}", found "\\""'],
    ['{ "mode": "single", "mode": "single" }', 'line 1, column 21: the key "mode" is given twice'],
    ['', 'line 1, column 1: expected a value, found the end'],
    ["{ 'site': 'home' }", `line 1, column 3: expected a key in double quotes, found "'"`],
    ['{} // mine', 'line 1, column 4: expected the end, found "/"'],
    ['{ "site": "ho\nme" }', 'line 1, column 11: a string that does not end, or with a character that must be escaped'],
  ]
  for (const [text, message] of cases) {
    const cwd = await write(t, text)
    t.is(await refusal({ env: {}, kinds, cwd }), `${join(cwd, 'miningsdk.config.json')}: ${message}`)
  }
})

test('a byte order mark, as some editors write it, harms nobody', async (t) => {
  const config = await loadConfig({ env: {}, kinds, cwd: await write(t, '\uFEFF{ "site": "north" }') })
  t.is(config?.site, 'north')
})

test('an unknown key is refused with its path and the nearest right name', (t) => {
  t.alike(
    wrong({
      services: [
        { name: 'g', port: 1 },
        { name: 'w', lib: 'x', devcieType: 'M56S' },
      ],
    }),
    ['services[1].devcieType: unknown key, did you mean deviceType?'],
  )
  t.alike(wrong({ sites: 'north', Storage: './x', whatever: 1, netwrok: {} }), [
    'sites: unknown key, did you mean site?',
    'Storage: unknown key, did you mean storage?',
    'whatever: unknown key',
    'netwrok: unknown key, did you mean network?',
  ])
  t.alike(wrong({ services: [{ name: 'w', lib: 'x', devices: [{ host: 'a', pasword: 'x', 'odd key': 1 }] }] }), [
    'services[0].devices[0].pasword: unknown key, did you mean password?',
    'services[0].devices[0]["odd key"]: unknown key',
  ])
})

test('a wrong value is refused with what is expected and what is there', (t) => {
  t.alike(wrong({ mode: 'singel', runtime: 3, network: { bootstrap: ['10.0.0.1'] }, storage: '' }), [
    'mode: must be one of "single", "microservices", is "singel", did you mean single?',
    'runtime: must be one of "process", "pm2", "docker", "kubernetes", "systemd", is 3',
    'network.bootstrap[0]: must be a host:port, is "10.0.0.1"',
    'storage: must be a non-empty string, is ""',
  ])
  t.alike(
    wrong({
      services: [
        { name: 'g', port: '3000' },
        { name: 'w', lib: 'x', intervalMs: 1 },
      ],
    }),
    [
      'services[0].port: must be an integer from 0 to 65535, is "3000"',
      'services[1].intervalMs: must be an integer of at least 100, is 1',
    ],
  )
  t.alike(wrong({ network: 'public', services: {} }), [
    'network: must be an object { bootstrap, site, port, host, relay, trustRecordHours }, is "public"',
    'services: must be a list of at most 1000, each an object, is an object',
  ])
  t.alike(wrong({ network: { bootstrap: 'publik' } }), [
    'network.bootstrap: must be "local" or "public" or a list of at most 64, each a host:port, is "publik", did you mean public?',
  ])
})

test('a secret never stands in the message that refuses it', (t) => {
  const [problem] = wrong({ services: [{ name: 'w', lib: 'x', devices: [{ host: 'a', password: 12345678 }] }] })
  t.ok(problem?.startsWith('services[0].devices[0].password: must be'))
  t.absent(problem?.includes('12345678'))
})

test('everything that is wrong is said at once', (t) => {
  const problems = wrong(
    {
      mode: 'x',
      services: [
        4,
        { name: 'w' },
        { name: 'w', lib: 3, port: 1 },
        ...Array.from({ length: 60 }, (_, at) => ({ name: `g${at}`, port: 'x' })),
      ],
    },
    { MININGSDK_HTTP_PORT: 'x' },
  )
  t.is(problems.length, 1 + 1 + 1 + 1 + 1 + 60 + 1)
})

test('a service that does not say what it is is refused with what would', (t) => {
  t.alike(
    wrong({
      services: [
        { name: 'a' },
        { name: 'b', prot: 3000 },
        { name: 'c', role: 'dth' },
        { name: 'd', lib: 'x', port: 3 },
      ],
    }),
    [
      'services[0]: does not say what it is; it needs lib (device-worker), or port (gateway), or role "dht"',
      'services[1]: does not say what it is; it needs lib (device-worker), or port (gateway), or role "dht"; prot: unknown key, did you mean port?',
      'services[2]: there is no role "dth", did you mean dht?',
      'services[3]: is device-worker and gateway at once',
    ],
  )
  t.is(read({ services: [{ name: 'd', role: 'dht', port: 49737 }] }).services[0]?.kind, 'dht')
})

test('names and devices that stand there twice are refused', (t) => {
  t.alike(
    wrong({
      services: [
        {
          name: 'w',
          lib: 'x',
          devices: [{ host: 'a' }, { host: 'a' }, { host: 'a', unit: 2 }, { host: 'b', id: 'one' }],
        },
        { name: 'W', lib: 'x', devices: [{ host: 'a' }, { host: 'c', id: 'one' }] },
      ],
    }),
    [
      'services[0].devices[1]: is the same device as services[0].devices[0]',
      'services[1].name: "W" is also the name of services[0]',
      'services[1].devices[1].id: "one" is also the id of services[0].devices[3]',
    ],
  )
  t.is(wrong({ services: [{ name: '../x', port: 1 }, { port: 1 }] }).length, 2, 'a name must be there and be one')
})

test('each variable of the environment overrides the file', (t) => {
  const env = {
    MININGSDK_MODE: 'microservices',
    MININGSDK_SERVICE: 'w',
    MININGSDK_STORAGE: 'elsewhere',
    MININGSDK_SITE: 'south',
    MININGSDK_HTTP_HOST: '0.0.0.0',
    MININGSDK_HTTP_PORT: '0',
    MININGSDK_BOOTSTRAP: '10.0.0.1:49737, [::1]:49737',
    MININGSDK_LOG_LEVEL: '',
  }
  const document = { site: 'north', mode: 'single', services: [{ name: 'g', port: 3000 }] }
  const config = read(document, { ...env, MININGSDK_SERVICE: '' })
  t.is(config.mode, 'microservices')
  t.is(config.site, 'south')
  t.is(config.storage, '/site/elsewhere')
  t.alike(config.network.bootstrap, ['10.0.0.1:49737', '[::1]:49737'])
  t.alike(config.services[0]?.config, { port: 0, host: '0.0.0.0' })
  t.is(config.only, null, 'a variable that is empty is not set')
  t.is(read(document, env).only, 'w')
  t.is(logLevelOf({ MININGSDK_LOG_LEVEL: 'debug' }), 'debug')
  t.is(logLevelOf({}), 'info')
})

test('wrong values of the environment are refused by name', (t) => {
  const env = {
    MININGSDK_MODE: 'both',
    MININGSDK_SITE: 'my site',
    MININGSDK_HTTP_PORT: '65536',
    MININGSDK_BOOTSTRAP: 'somewhere',
    MININGSDK_LOG_LEVEL: 'loud',
  }
  t.alike(wrong({}, env), [
    'MININGSDK_MODE: must be one of single, microservices, is "both"',
    'MININGSDK_HTTP_PORT: must be a port, 0 to 65535, is "65536"',
    'MININGSDK_BOOTSTRAP: must be local, public or host:port, separated by commas, is "somewhere"',
    'MININGSDK_LOG_LEVEL: must be one of trace, debug, info, warn, error, fatal, silent, is "loud"',
    'MININGSDK_SITE: must be a name of letters, digits, - and _, at most 63, is "my site"',
  ])
  const two = {
    services: [
      { name: 'g', port: 1 },
      { name: 'h', port: 2 },
    ],
  }
  t.alike(wrong(two, { MININGSDK_HTTP_PORT: '80' }), ['MININGSDK_HTTP_PORT: is one port for 2 gateways'])
  t.is(read(two, { MININGSDK_HTTP_PORT: '80', MININGSDK_SERVICE: 'h' }).services[1]?.config.port, 80)
})

test('a variable that is nearly ours is a warning: orchestrators set some of their own', (t) => {
  t.alike(
    read({}, { MININGSDK_STORE: 'x', MININGSDK_HTTP_PROT: '1', MININGSDK_PORT_3000_TCP_ADDR: '10.0.0.1', PATH: '/bin' })
      .warnings,
    [
      'MININGSDK_STORE is no variable of ours, did you mean MININGSDK_STORAGE?',
      'MININGSDK_HTTP_PROT is no variable of ours, did you mean MININGSDK_HTTP_PORT?',
    ],
  )
})

test('the printed configuration has all defaults, no passwords, and is a configuration again', (t) => {
  const document = {
    services: [
      {
        name: 'w',
        lib: 'x',
        devices: [
          { host: 'a', password: 'hidden' },
          { host: 'b', password: { env: 'WM_PASSWORD' } },
        ],
      },
    ],
  }
  const printed = effectiveConfig(read(document))
  t.alike(printed, {
    site: 'home',
    mode: 'single',
    runtime: 'process',
    storage: '/site/data',
    network: { relay: false, trustRecordHours: 168 },
    services: [
      {
        name: 'w',
        maxMemoryMb: 2048,
        lib: 'x',
        devices: [
          { host: 'a', password: '[removed]' },
          { host: 'b', password: { env: 'WM_PASSWORD' } },
        ],
        intervalMs: 10_000,
      },
    ],
  })
  t.alike(effectiveConfig(read(printed)), printed)
  t.is(
    (read(document).services[0]!.config.devices as { password: string }[])[0]?.password,
    'hidden',
    'the real one is untouched',
  )
})

test('a secret that is a variable is looked up when it is used', (t) => {
  t.is(secretOf('as it stands', {}), 'as it stands')
  t.is(secretOf({ env: 'WM_PASSWORD' }, { WM_PASSWORD: 'from outside' }), 'from outside')
  for (const env of [{}, { WM_PASSWORD: '' }]) t.is(secretOf({ env: 'WM_PASSWORD' }, env), undefined, 'not set')
})

test('the JSON Schema for editors asks for the same keys', (t) => {
  const schema = configJsonSchema(kinds) as unknown as {
    properties: {
      services: {
        items: {
          anyOf: {
            title: string
            required: string[]
            additionalProperties: boolean
            properties: Record<string, unknown>
          }[]
        }
      }
    }
  }
  t.alike(Object.keys(schema.properties), ['$schema', 'site', 'mode', 'runtime', 'storage', 'network', 'services'])
  t.alike(
    schema.properties.services.items.anyOf.map(({ title, required }) => ({ title, required })),
    [
      { title: 'device-worker', required: ['name', 'lib'] },
      { title: 'gateway', required: ['name', 'port'] },
      { title: 'dht', required: ['name', 'role'] },
    ],
  )
  t.alike(JSON.parse(JSON.stringify(schema)), schema, 'plain JSON')
})

test('any document at all is either taken or refused with reasons', (t) => {
  const keys = fc.constantFrom(
    '$schema',
    'site',
    'mode',
    'storage',
    'network',
    'services',
    'name',
    'lib',
    'port',
    'role',
    'devices',
    'host',
    '__proto__',
    'x',
  )
  const { document } = fc.letrec((tie) => ({
    document: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom('local', 'single', 'dht', 'a', ''),
      fc.integer(),
      fc.constant(null),
      fc.boolean(),
      tie('list'),
      tie('object'),
    ),
    list: fc.array(tie('document'), { maxLength: 4 }),
    object: fc.dictionary(keys, tie('document'), { maxKeys: 5 }),
  }))
  fc.assert(
    fc.property(document, (value) => {
      const problems = wrong(value)
      return problems.every((problem) => typeof problem === 'string' && problem.length > 3)
    }),
    { numRuns: 300 },
  )
  t.pass()
})
