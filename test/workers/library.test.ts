import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import test, { type Assertions } from 'brittle'
import { miners } from '#devices'
import { silentLog } from '#model'
import { createNode, type Placement } from '#node'
import { type Caller, deviceWorker, librarian } from '#rpc'
import { createShelf, workerServices } from '#workers'
import { findPackage, loadPackage } from '../../src/workers/library/package.js'
import { until } from '../support/fake-clock.js'

const example = resolve('examples/custom-device')
const sdkUrl = pathToFileURL(resolve('src/index.ts')).href
/** The process in which a package is tried compiles the whole SDK here. */
const addMs = 60_000
const admin: Caller = { id: 'admin', scope: 'admin' }

/** A node with a librarian, as a start of the site makes it: nothing is loaded yet but what is built in. */
async function openSite(t: Assertions, storage: string, workers: readonly { name: string; lib: string }[] = []) {
  const awake = setInterval(() => {}, 1000)
  const shelf = createShelf({ builtIn: miners, sdkUrl, folders: [storage] })
  const [worker, , , , keeper] = workerServices(shelf)
  const services: Placement[] = [
    ...workers.map(({ name, lib }) => ({ name, service: worker!, config: { lib } })),
    { name: 'librarian', service: keeper!, config: { workers } },
  ]
  const node = await createNode({ site: 'home', storage, services, log: silentLog })
  const close = async () => {
    clearInterval(awake)
    await node.close()
  }
  t.teardown(close)
  await node.ready()
  return {
    node,
    close,
    library: node.connect(librarian, { caller: admin }),
    add: (name: string) => node.connect(librarian, { caller: admin }).add({ package: name }, { timeoutMs: addMs }),
    added: async () => (await node.connect(librarian, { caller: admin }).list({})).filter(({ builtIn }) => !builtIn),
  }
}

/** The example as a package of its own, changed. */
async function packageWith(t: Assertions, change: { manifest?: object; code?: (code: string) => string }) {
  const path = await t.tmp()
  const manifest = JSON.parse(readFileSync(join(example, 'package.json'), 'utf8')) as object
  writeFileSync(join(path, 'package.json'), JSON.stringify({ ...manifest, ...change.manifest }))
  const code = readFileSync(join(example, 'index.js'), 'utf8')
  writeFileSync(join(path, 'index.js'), change.code?.(code) ?? code)
  return path
}

test('a library is added to a running node, read, kept over a restart and removed', { timeout: 180_000 }, async (t) => {
  const storage = await t.tmp()
  const site = await openSite(t, storage)
  const row = await site.add(example)
  t.is(row.library, 'miner-acme')
  t.is(row.package, 'miningsdk-miner-acme')
  t.is(row.version, '1.0.0')
  t.alike(row.models, ['AX-1'])
  t.alike(row.commands, ['setLed'])
  await until(() => site.node.services().find(({ name }) => name === 'miner-acme')?.ready, 'its worker runs')
  const worker = site.node.connect(deviceWorker, { service: 'miner-acme', caller: admin })
  const { added } = await worker.addDevices({ entries: [{ host: '127.0.0.1', port: 9 }] })

  await t.exception(site.add(example), { code: 'CONFLICT' }, 'it is there already')
  await t.exception(site.library.remove({ name: 'miner-acme' }), { code: 'CONFLICT' }, 'a device needs it')
  await t.exception(site.library.remove({ name: 'miner-whatsminer' }), { code: 'CONFLICT' }, 'it is built in')
  await t.exception(site.library.remove({ name: 'miner-nobody' }), { code: 'NOT_FOUND' })
  const reader = site.node.connect(librarian, { caller: { id: 'reader', scope: 'control' } })
  await t.exception(reader.add({ package: example }), { code: 'FORBIDDEN' }, 'only an admin adds code')
  const narrow: Caller = { ...admin, libraries: ['miner-acme'] }
  await t.exception(site.node.connect(librarian, { caller: narrow }).add({ package: example }), { code: 'FORBIDDEN' })
  await site.close()

  const again = await openSite(t, storage)
  t.alike(
    (await again.added()).map(({ library, workers, devices }) => ({ library, workers, devices })),
    [{ library: 'miner-acme', workers: ['miner-acme'], devices: 1 }],
  )
  await again.node.connect(deviceWorker, { service: 'miner-acme', caller: admin }).removeDevice({ id: added[0]! })
  t.alike(await again.library.remove({ name: 'miningsdk-miner-acme' }), { library: 'miner-acme' })
  t.alike(await again.added(), [])
  t.absent(
    again.node.services().some(({ name }) => name === 'miner-acme'),
    'its worker is gone',
  )
  t.alike((await again.add(example)).library, 'miner-acme', 'and it can come back')
})

test('a package that cannot be used is refused with the reason, and all stays as it was', {
  timeout: 120_000,
}, async (t) => {
  const storage = await t.tmp()
  const site = await openSite(t, storage)
  const broken: [what: string, change: Parameters<typeof packageWith>[1], code: string, reason: RegExp][] = [
    ['it throws', { code: () => "throw new Error('no luck')" }, 'LIBRARY_INVALID', /no luck/],
    ['it ends the process', { code: () => 'process.exit(3)' }, 'LIBRARY_INVALID', /exit 3/],
    [
      'another SDK',
      { manifest: { peerDependencies: { miningsdk: '>=7' } } },
      'LIBRARY_INVALID',
      /made for miningsdk >=7/,
    ],
    ['no SDK', { manifest: { peerDependencies: {} } }, 'LIBRARY_INVALID', /does not say for which/],
    ['CommonJS', { manifest: { type: 'commonjs' } }, 'LIBRARY_INVALID', /ES module/],
    ['a name that is taken', { code: (code) => code.replace('miner-acme', 'miner-antminer') }, 'CONFLICT', /built in/],
  ]
  for (const [what, change, code, reason] of broken) {
    const path = await packageWith(t, change)
    const error = await site.add(path).then(
      () => undefined,
      (error: { code: string; message: string }) => error,
    )
    t.is(error?.code, code, what)
    t.ok(reason.test(error?.message ?? ''), `${what}: ${error?.message}`)
  }
  await t.exception(site.add(join(storage, 'nowhere')), { code: 'NOT_FOUND' })
  await t.exception(site.add('not-installed-anywhere'), { code: 'NOT_FOUND' })
  await t.exception(site.add('../up'), { code: 'BAD_REQUEST' })
  t.alike(await site.added(), [])
  t.alike(
    site.node.services().map(({ name }) => name),
    ['librarian'],
  )
})

test('what a package exports is checked before it is used', async (t) => {
  const sound = (code: string) => code.replace('export const devices', 'const devices')
  const wrong: [what: string, change: Parameters<typeof packageWith>[1], code: string, reason: RegExp][] = [
    ['no export', { code: sound }, 'LIBRARY_INVALID', /does not export `devices`/],
    ['no definition', { code: () => 'export const devices = [{}]' }, 'LIBRARY_INVALID', /devices\[0\]: library must/],
    [
      'a field that there is not',
      { code: (code) => code.replace('powerW:', 'powerKw:') },
      'LIBRARY_INVALID',
      /no field powerKw/,
    ],
    [
      'a read that there is not',
      { code: (code) => code.replace("from('status'", "from('state'") },
      'LIBRARY_INVALID',
      /state/,
    ],
  ]
  for (const [what, change, code, reason] of wrong) {
    const found = findPackage(await packageWith(t, change), [])
    await t.exception(loadPackage(found, sdkUrl), { code, message: reason }, what)
  }
})

test('a configured worker that waits for its library starts as soon as that is added', {
  timeout: 60_000,
}, async (t) => {
  const site = await openSite(t, await t.tmp(), [{ name: 'acme', lib: 'miner-acme' }])
  const health = () => site.node.services().find(({ name }) => name === 'acme')
  t.ok(health()?.lastError?.includes('there is no device library miner-acme'), 'it says what it waits for')
  const row = await site.add(example)
  t.ok(health()?.ready)
  t.alike(row.workers, ['acme'], 'and no other worker is made')
})

test('an installed package is found by its name, also from the configuration; one that is gone is told', {
  timeout: 120_000,
}, async (t) => {
  const storage = await t.tmp()
  const installed = join(storage, 'node_modules/miningsdk-miner-acme')
  mkdirSync(installed, { recursive: true })
  cpSync(example, installed, { recursive: true })
  const workers = [{ name: 'acme', lib: 'miningsdk-miner-acme' }]
  const site = await openSite(t, storage, workers)
  t.ok(site.node.services().find(({ name }) => name === 'acme')?.ready, 'the configuration alone is enough')
  const row = await site.add('miningsdk-miner-acme')
  t.alike(row.workers, ['acme'], 'and no second worker is started')
  await t.exception(site.library.remove({ name: 'miner-acme' }), { code: 'CONFLICT' }, 'the configuration names it')
  await site.close()

  writeFileSync(join(installed, 'index.js'), 'syntax error')
  const later = await openSite(t, storage)
  const [kept] = await later.added()
  t.is(kept?.problem?.code, 'LIBRARY_INVALID')
  t.alike(await later.library.remove({ name: 'miner-acme' }), { library: 'miner-acme' }, 'a broken one can be removed')
})
