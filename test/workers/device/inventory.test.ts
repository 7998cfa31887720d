import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'brittle'
import { defineDevice } from '#devices'
import { accountsOf, openSecrets, split } from '../../../src/workers/device/credentials.js'
import { identityOf } from '../../../src/workers/device/identity.js'
import { addressKey, configuredEntries, firstId } from '../../../src/workers/device/inventory.js'

const device = (port: number, name = 'rpc') =>
  defineDevice({
    library: 'miner-test',
    kind: 'miner',
    make: 'Test',
    family: name,
    mainPort: { name, default: port },
    models: {},
    identify: { probes: [], match: () => undefined },
    reads: {},
    telemetry: () => ({}),
    commands: {},
    defaults: {
      intervalMs: 10_000,
      timeoutMs: 1000,
      credentials: [
        { username: 'admin', password: 'admin' },
        { username: 'super', password: 'super' },
      ],
    },
  })
const candidates = [device(4028), device(4433, 'v3')]

test('ids are made of site, worker and address, with the port where it is not a usual one', (t) => {
  t.is(firstId('home', 'wm', { host: '10.0.0.1' }, candidates), 'home.wm.10.0.0.1')
  t.is(firstId('home', 'wm', { host: '10.0.0.1', port: 4433 }, candidates), 'home.wm.10.0.0.1')
  t.is(firstId('home', 'wm', { host: '10.0.0.1', port: 5000 }, candidates), 'home.wm.10.0.0.1.5000')
  t.is(firstId('home', 'wm', { host: '10.0.0.1', id: 'mine' }, candidates), 'mine')
  t.is(firstId('my site', 'wm', { host: 'fe80::1' }, candidates), 'my-site.wm.fe80-1')
  t.is(addressKey({ host: 'h', port: 4028 }, candidates), addressKey({ host: 'h' }, candidates))
  t.not(addressKey({ host: 'h', port: 4029 }, candidates), addressKey({ host: 'h' }, candidates))
})

test('a device listed twice is refused by name', async (t) => {
  const twice = [{ host: '10.0.0.1' }, { host: '10.0.0.1', port: 4028 }]
  await t.exception(() => configuredEntries('home', 'wm', twice, candidates), { code: 'CONFIG_INVALID' })
})

test('hardware is told by its MAC, else its serial number; placeholders tell nothing', (t) => {
  t.is(identityOf({ mac: 'c4:11:00:00:00:01' }), identityOf({ mac: 'C411-0000-0001' }))
  t.is(identityOf({ serial: ' abc1 ' }), 'serial:ABC1')
  t.is(identityOf({ mac: '00:00:00:00:00:00', serial: 'X9' }), 'serial:X9')
  for (const nothing of [{}, { mac: null }, { mac: 'ff:ff:ff:ff:ff:ff' }, { serial: '' }, { serial: '000000' }])
    t.is(identityOf(nothing), undefined)
})

test('accounts are kept in a file that only we can read, whole or not at all, and never beside the entry', async (t) => {
  const folder = await t.tmp()
  const { entry, secret } = split({ host: 'h', username: 'root', password: 'hunter2', name: 'n' })
  t.alike(entry, { host: 'h', name: 'n' })
  const secrets = await openSecrets(folder, new Map([['c', { password: 'from-config' }]]))
  t.is(secrets.get('a'), undefined)
  await Promise.all([
    secrets.set('a', secret),
    secrets.set('b', { password: 'x' }),
    secrets.set('c', { username: 'u' }),
  ])
  const path = join(folder, 'credentials.json')
  t.is((await stat(path)).mode & 0o777, 0o600)
  t.alike(await readdir(folder), ['credentials.json'], 'no drafts are left')
  t.absent((await readFile(path, 'utf8')).includes('from-config'), 'what the configuration says stays there')
  const again = await openSecrets(folder, new Map())
  t.alike(again.get('a'), { username: 'root', password: 'hunter2' })
  t.alike(secrets.get('c'), { username: 'u', password: 'from-config' })
  await again.set('a', undefined)
  t.is((await openSecrets(folder, new Map())).get('a'), undefined)
})

test('a broken credentials file stops the worker with a reason that quotes nothing of it', async (t) => {
  const folder = await t.tmp()
  await writeFile(join(folder, 'credentials.json'), '{"a":{"password":"hunter2"')
  try {
    await openSecrets(folder, new Map())
    t.fail('it opened')
  } catch (error) {
    t.is((error as { code: string }).code, 'STORE_FAILED')
    t.absent(JSON.stringify(error, Object.getOwnPropertyNames(error)).includes('hunter2'))
  }
})

test('the operator account is tried first, then the vendor defaults, each once', (t) => {
  const names = (list: { username: string; password: string }[]) =>
    list.map(({ username, password }) => `${username}:${password}`)
  t.alike(names(accountsOf(undefined, candidates)), ['admin:admin', 'super:super'])
  t.alike(names(accountsOf({ password: 'x' }, candidates)), ['admin:x', 'admin:admin', 'super:super'])
  t.alike(names(accountsOf({ username: 'super', password: 'x' }, candidates))[0], 'super:x')
  const env = { username: 'u', password: { env: 'WM' } }
  t.alike(names(accountsOf(env, candidates, { WM: 'secret' }))[0], 'u:secret')
  t.alike(names(accountsOf(env, candidates, {}))[0], 'u:admin', 'without it the defaults with this name')
})
