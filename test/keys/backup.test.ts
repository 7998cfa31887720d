import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import b4a from 'b4a'
import test from 'brittle'
import { backUp, identityFile, makeOwnerKey, openBackup, openIdentity, openVault, restore, sealBackup } from '#keys'
import { parseBundle } from '../../src/keys/backup.js'
import { at, refusal } from './peers.js'

const passphrase = 'correct horse battery'
/** A passphrase costs half a second by design, and more on a busy machine. */
const slow = { timeout: 120_000 }

/** A storage folder with something of everything that is backed up, and of what is not. */
async function filled(storage: string) {
  const identity = await openIdentity(storage)
  for (const folder of ['w', 'v', 'grants']) await mkdir(join(storage, folder), { mode: 0o700 })
  const vault = await openVault(join(storage, 'w'), identity.seed('vault/w'))
  await vault.set('d', 'hunter2')
  await makeOwnerKey(join(storage, 'owner.key'))
  for (const file of ['fleet.json', 'grants/w.json', 'admin.token', 'w/notes.txt'])
    await writeFile(join(storage, file), `content of ${file}`, { mode: 0o600 })
  return identity
}

const keptFiles = ['fleet.json', 'grants/w.json', 'identity.key', 'owner.key', 'w/vault.json']

test('what was backed up is there again in an empty folder, and works', slow, async (t) => {
  const [storage, target] = [await t.tmp(), join(await t.tmp(), 'new')]
  const identity = await filled(storage)
  const made = await backUp(storage, passphrase, at)
  t.is(made.key, identity.key)
  t.alike(made.files, keptFiles)
  for (const plain of ['hunter2', identity.key, 'content of fleet']) t.absent(b4a.includes(made.bytes, b4a.from(plain)))

  const back = await restore(target, made.bytes, passphrase)
  t.alike(back, { key: identity.key, at, files: keptFiles })
  const again = await openIdentity(target)
  t.is(again.key, identity.key)
  t.is((await openVault(join(target, 'w'), again.seed('vault/w'))).get('d'), 'hunter2')
  for (const file of keptFiles) {
    t.alike(await readFile(join(target, file)), await readFile(join(storage, file)), file)
    t.is((await stat(join(target, file))).mode & 0o777, 0o600, file)
  }
  t.is((await stat(join(target, 'w'))).mode & 0o777, 0o700)
  t.alike((await readdir(target)).sort(), ['fleet.json', 'grants', 'identity.key', 'owner.key', 'w'])
})

test('a wrong passphrase opens nothing and writes nothing', slow, async (t) => {
  const [storage, target] = [await t.tmp(), join(await t.tmp(), 'new')]
  await openIdentity(storage)
  const { bytes } = await backUp(storage, passphrase, at)
  const error = await refusal(() => restore(target, bytes, 'correct horse batterx'))
  t.is(error.code, 'PASSPHRASE_WRONG')
  await t.exception(() => stat(target))
  t.is((await refusal(() => backUp(storage, 'short', at))).code, 'BAD_REQUEST')
  t.alike(b4a.toString(await openBackup(await sealBackup(b4a.from('é'), 'café au lait'), 'café au lait')), 'é')
})

test('a folder that is a node already is never restored into, nor is another file replaced', slow, async (t) => {
  const [storage, node, half] = [await t.tmp(), await t.tmp(), await t.tmp()]
  await filled(storage)
  const { bytes, key } = await backUp(storage, passphrase, at)
  const other = await openIdentity(node)
  const error = await refusal(() => restore(node, bytes, passphrase))
  t.is(error.code, 'CONFLICT')
  t.ok(error.message.includes(other.fingerprint), error.message)
  t.is((await openIdentity(node)).key, other.key)

  await writeFile(join(half, 'fleet.json'), 'of another fleet', { mode: 0o600 })
  const taken = await refusal(() => restore(half, bytes, passphrase))
  t.is(taken.code, 'CONFLICT')
  t.ok(taken.message.includes('fleet.json'), taken.message)
  t.alike(await readdir(half), ['fleet.json'], 'nothing was written')

  // As a restore leaves it that was cut off.
  await writeFile(join(half, 'fleet.json'), await readFile(join(storage, 'fleet.json')))
  t.is((await restore(half, bytes, passphrase)).key, key)
})

test('what is no whole backup is said to be that', slow, async (t) => {
  const [storage, target] = [await t.tmp(), await t.tmp()]
  await openIdentity(storage)
  const { bytes } = await backUp(storage, passphrase, at)
  const put = (place: number, value: number) => {
    const changed = b4a.from(bytes)
    changed[place] = value
    return changed
  }
  const cases: [string, Uint8Array, string][] = [
    ['nothing', b4a.alloc(0), 'SECRET_DAMAGED'],
    ['another file', b4a.from('PK\x03\x04 something else altogether'), 'SECRET_DAMAGED'],
    ['cut off in its head', bytes.subarray(0, 20), 'SECRET_DAMAGED'],
    ['of a newer version', put(4, 2), 'STORE_NEWER'],
    ['that asks for 64 GB of memory', put(9, 4), 'SECRET_DAMAGED'],
    ['cut off at its end', bytes.subarray(0, -1), 'PASSPHRASE_WRONG'],
    ['with one bit changed', put(bytes.length - 5, bytes.at(-5)! ^ 1), 'PASSPHRASE_WRONG'],
  ]
  for (const [what, file, code] of cases)
    t.is((await refusal(() => restore(target, file, passphrase))).code, code, what)
  t.alike(await readdir(target), [])
})

test('a backup that somebody made up writes nowhere but where backups belong', async (t) => {
  const bundle = (files: Record<string, string>) => b4a.from(JSON.stringify({ v: 1, at, files }))
  for (const path of [
    '../evil.key',
    '/etc/evil.key',
    'w/../../evil.key',
    'admin.token',
    '.ssh/evil.key',
    'a/b/c.key',
  ]) {
    const error = await refusal(() => parseBundle(bundle({ [path]: 'aGk=' })))
    t.is(error.code, 'SECRET_DAMAGED')
    t.ok(error.message.includes(path), error.message)
  }
  for (const other of [bundle({ a: 1 as never }), b4a.from('{'), b4a.from('null'), b4a.alloc(0)])
    t.is((await refusal(() => parseBundle(other))).code, 'SECRET_DAMAGED')
})

test('the key of an owner is no node to restore', slow, async (t) => {
  const [storage, target] = [await t.tmp(), await t.tmp()]
  await makeOwnerKey(join(storage, identityFile))
  const owner = b4a.toString(await readFile(join(storage, identityFile)), 'base64')
  const bundle = JSON.stringify({ v: 1, at, files: { [identityFile]: owner } })
  const sealed = await sealBackup(b4a.from(bundle), passphrase)
  t.is((await refusal(() => restore(target, sealed, passphrase))).code, 'SECRET_DAMAGED')
  t.alike(await readdir(target), [])
})

test('what others may read, or no node has made, is not backed up', slow, async (t) => {
  const storage = await t.tmp()
  t.is((await refusal(() => backUp(storage, passphrase, at))).code, 'NOT_FOUND')
  t.is((await refusal(() => backUp(join(storage, 'none'), passphrase, at))).code, 'NOT_FOUND')
  await filled(storage)
  await chmod(join(storage, 'owner.key'), 0o644)
  t.is((await refusal(() => backUp(storage, passphrase, at))).code, 'SECRET_EXPOSED')
})
