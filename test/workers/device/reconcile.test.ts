import test from 'brittle'
import { miners } from '#devices'
import type { DeviceEntry } from '#model'
import { openStore } from '#replication'
import { configuredEntries, reconcile, rename } from '../../../src/workers/device/inventory.js'

const candidates = miners.filter(({ library }) => library === 'miner-whatsminer')

test('the configuration and what was changed at run time live together over restarts', async (t) => {
  const store = await openStore({ path: await t.tmp(), worker: 'wm', site: 'home', intervalMs: 1000 })
  t.teardown(() => store.close())
  const start = (...devices: DeviceEntry[]) =>
    reconcile(store, configuredEntries('home', 'wm', devices, candidates), candidates, 1000)
  const [a, b] = ['home.wm.10.0.0.1', 'home.wm.10.0.0.2'] as const

  await start({ host: '10.0.0.1', name: 'One', tags: ['x'] }, { host: '10.0.0.2', username: 'u', password: 'p' })
  t.alike([...store.entries().keys()], [a, b])
  t.alike(store.entries().get(b), { host: '10.0.0.2' }, 'without its account')

  await store.putEntry(a, { host: '10.0.0.1', name: 'Renamed', tags: ['x'], location: { rack: 1 } })
  await store.deleteEntry(b)
  await store.putEntry('added', { host: '10.0.0.9' })
  await start({ host: '10.0.0.1', name: 'One', tags: ['x'] }, { host: '10.0.0.2' })
  t.is(store.entries().get(a)?.name, 'Renamed', 'a change at run time stands while the file says the same')
  t.absent(store.entries().has(b), 'so does a removal')

  await start({ host: '10.0.0.1', name: 'Uno' }, { host: '10.0.0.2', tags: ['back'] })
  t.alike(
    store.entries().get(a),
    { host: '10.0.0.1', name: 'Uno', location: { rack: 1 } },
    'a changed file wins where it speaks',
  )
  t.ok(store.entries().has(b), 'and brings back what it names anew')

  const { present } = await start(
    { host: '10.0.0.1', name: 'Uno' },
    { host: '10.0.0.2', tags: ['back'] },
    { host: '10.0.0.9', name: 'Nine' },
  )
  t.is(present.get('home.wm.10.0.0.9'), 'added', 'one that was added at run time is known by its address')
  t.is(store.entries().get('added')?.name, 'Nine')

  await rename(store, b, 'other')
  await store.putEntry('other', { host: '10.0.0.2' })
  await store.deleteEntry(b)
  await start({ host: '10.0.0.2', tags: ['back'] })
  t.alike([...store.entries().keys()], ['other'], 'what vanished from the file is removed, by whatever id it goes')
})

test('a start that finds all in order writes nothing', async (t) => {
  const store = await openStore({ path: await t.tmp(), worker: 'wm', site: 'home', intervalMs: 1000 })
  t.teardown(() => store.close())
  const wanted = configuredEntries('home', 'wm', [{ host: '10.0.0.1', tags: ['a'] }], candidates)
  await reconcile(store, wanted, candidates, 1000)
  const events = await store.events({ limit: 100 })
  await reconcile(store, wanted, candidates, 2000)
  t.alike(await store.events({ limit: 100 }), events)
})
