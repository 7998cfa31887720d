import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'brittle'
import { defineDevice } from '#devices'
import { openVault } from '#keys'
import { accountsOf, openSecrets, split } from '../../../src/workers/device/credentials.js'
import { identityOf } from '../../../src/workers/device/identity.js'
import { addressKey, configuredEntries, firstId } from '../../../src/workers/device/inventory.js'
import { vaultSeed } from './bench.js'

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

test('accounts are kept in the vault, and never beside the entry', async (t) => {
  const folder = await t.tmp()
  const { entry, secret } = split({ host: 'h', username: 'root', password: 'hunter2', name: 'n' })
  t.alike(entry, { host: 'h', name: 'n' })
  const open = async (configured = new Map()) => openSecrets(await openVault(folder, vaultSeed), folder, configured)
  const secrets = await open(new Map([['c', { password: 'from-config' }]]))
  t.is(secrets.get('a'), undefined)
  await Promise.all([
    secrets.set('a', secret),
    secrets.set('b', { password: 'x' }),
    secrets.set('c', { username: 'u' }),
  ])
  t.absent(JSON.stringify(await plainOf(folder)).includes('from-config'), 'what the configuration says stays there')
  const again = await open()
  t.alike(again.get('a'), { username: 'root', password: 'hunter2' })
  t.alike(secrets.get('c'), { username: 'u', password: 'from-config' })
  await again.set('a', undefined)
  t.is((await open()).get('a'), undefined)
})

/** Everything that the vault of the folder holds. */
async function plainOf(folder: string): Promise<Record<string, unknown>> {
  const vault = await openVault(folder, vaultSeed)
  return Object.fromEntries(vault.list().map((name) => [name, JSON.parse(vault.get(name)!)]))
}

test('what an older version kept in the open is taken over into the vault, once, and removed', async (t) => {
  const folder = await t.tmp()
  const plain = { a: { username: 'root', password: 'hunter2' }, b: { password: { env: 'B' } }, c: { password: 'old' } }
  await (await openVault(folder, vaultSeed)).set('c', '{"password":"newer"}')
  await writeFile(join(folder, 'credentials.json'), JSON.stringify(plain))
  const secrets = await openSecrets(await openVault(folder, vaultSeed), folder, new Map())
  t.alike(secrets.get('a'), plain.a)
  t.alike(secrets.get('b'), plain.b)
  t.alike(secrets.get('c'), { password: 'newer' }, 'what the vault knows is newer')
  t.alike(await readdir(folder), ['vault.json'])
  t.absent((await readFile(join(folder, 'vault.json'), 'utf8')).includes('hunter2'))
  t.alike(await plainOf(folder), { ...plain, c: { password: 'newer' } })
})

test('a broken file of an older version stops the worker with a reason that quotes nothing of it', async (t) => {
  const folder = await t.tmp()
  await writeFile(join(folder, 'credentials.json'), '{"a":{"password":"hunter2"')
  try {
    await openSecrets(await openVault(folder, vaultSeed), folder, new Map())
    t.fail('it opened')
  } catch (error) {
    t.is((error as { code: string }).code, 'STORE_FAILED')
    t.absent(JSON.stringify(error, Object.getOwnPropertyNames(error)).includes('hunter2'))
  }
  t.alike(await readdir(folder), ['credentials.json'], 'and is left as it is')
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
