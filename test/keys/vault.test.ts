import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import b4a from 'b4a'
import test from 'brittle'
import fc from 'fast-check'
import { openVault, vaultFile } from '#keys'
import { seal, unseal } from '../../src/keys/seal.js'
import { refusal } from './peers.js'

const seed = b4a.alloc(32, 7)
const other = b4a.alloc(32, 8)

test('a secret is there again after a restart, and nowhere in the file', async (t) => {
  const folder = await t.tmp()
  const vault = await openVault(folder, seed)
  await vault.set('a', 'hunter2')
  await vault.set('b', '')
  await vault.set('__proto__', 'odd name')
  await vault.set('a', 'hunter3 ✓')
  const again = await openVault(folder, seed)
  t.is(again.get('a'), 'hunter3 ✓')
  t.is(again.get('b'), '')
  t.is(again.get('__proto__'), 'odd name')
  t.is(again.get('c'), undefined)
  t.is(again.get('constructor'), undefined)
  t.alike(again.list().sort(), ['__proto__', 'a', 'b'])
  const text = await readFile(join(folder, vaultFile), 'utf8')
  for (const secret of ['hunter', 'odd name'])
    for (const form of [secret, b4a.toString(b4a.from(secret), 'base64').slice(0, 8)]) t.absent(text.includes(form))
  t.is((await stat(join(folder, vaultFile))).mode & 0o777, 0o600)
  t.alike(await readdir(folder), [vaultFile], 'no drafts are left')
})

test('what is deleted is gone from the disk', async (t) => {
  const folder = await t.tmp()
  const vault = await openVault(folder, seed)
  await vault.set('a', 'x')
  await vault.set('b', 'y')
  await vault.delete('a')
  await vault.delete('never there')
  t.is(vault.get('a'), undefined)
  t.alike((await openVault(folder, seed)).list(), ['b'])
  t.absent((await readFile(join(folder, vaultFile), 'utf8')).includes('"a"'))
})

test('many secrets set at once are all on the disk when each says so', async (t) => {
  const folder = await t.tmp()
  const vault = await openVault(folder, seed)
  const names = Array.from({ length: 300 }, (_, index) => `d${index}`)
  await Promise.all(names.map((name) => vault.set(name, `secret of ${name}`)))
  const again = await openVault(folder, seed)
  t.alike(again.list(), names)
  t.is(again.get('d299'), 'secret of d299')
})

test('the vault of another node is said to be that, and left as it is', async (t) => {
  const folder = await t.tmp()
  await (await openVault(folder, seed)).set('a', 'x')
  const before = await readFile(join(folder, vaultFile))
  const error = await refusal(() => openVault(folder, other))
  t.is(error.code, 'SECRET_DAMAGED')
  t.ok(/sealed by another node/.test(error.message), error.message)
  t.alike(await readFile(join(folder, vaultFile)), before)
})

test('a damaged vault is said to be that, whatever of it is damaged', async (t) => {
  const folder = await t.tmp()
  const path = join(folder, vaultFile)
  const vault = await openVault(folder, seed)
  await vault.set('a', 'first')
  await vault.set('b', 'second')
  const whole = await readFile(path, 'utf8')
  const { v, key, secrets } = JSON.parse(whole)
  const swapped = JSON.stringify({ v, key, secrets: { a: secrets.b, b: secrets.a } })
  const flipped = b4a.from(secrets.a, 'base64')
  flipped[flipped.length - 1]! ^= 1
  const changed = JSON.stringify({ v, key, secrets: { ...secrets, a: b4a.toString(flipped, 'base64') } })
  for (const text of ['', whole.slice(0, -10), swapped, changed, whole.replace(/"v":1/, '"v":9'), 'null', '[]']) {
    await writeFile(path, text)
    const error = await refusal(() => openVault(folder, seed))
    t.is(error.code, 'SECRET_DAMAGED', error.message)
    t.ok(error.message.includes(path))
  }
  await writeFile(path, whole)
  await chmod(path, 0o644)
  t.is((await refusal(() => openVault(folder, seed))).code, 'SECRET_EXPOSED')
})

test('a vault that cannot be written says so, and works again when it can', async (t) => {
  const folder = join(await t.tmp(), 'away')
  await mkdir(folder)
  const vault = await openVault(folder, seed)
  await rm(folder, { recursive: true })
  t.is((await refusal(() => vault.set('a', 'x'))).code, 'STORE_FAILED')
  await mkdir(folder)
  await vault.set('b', 'y')
  t.alike((await openVault(folder, seed)).list(), ['a', 'b'])
})

test('what is too large is refused and nothing of it kept', async (t) => {
  const vault = await openVault(await t.tmp(), seed)
  t.is((await refusal(() => vault.set('a', 'x'.repeat(5000)))).code, 'TOO_LARGE')
  t.is((await refusal(() => vault.set('n'.repeat(300), 'x'))).code, 'TOO_LARGE')
  t.alike(vault.list(), [])
})

test('a seal opens only with its key and its context, and only whole', (t) => {
  const bytes = fc.uint8Array({ maxLength: 200 })
  fc.assert(
    fc.property(bytes, fc.string(), fc.nat(), (content, context, place) => {
      const sealed = seal(seed, content, context)
      const changed = b4a.from(sealed)
      changed[place % changed.length]! ^= 1 + (place % 255)
      const opened = unseal(seed, sealed, context)
      return (
        opened !== undefined &&
        b4a.equals(opened, content) &&
        unseal(other, sealed, context) === undefined &&
        unseal(seed, sealed, `${context}.`) === undefined &&
        unseal(seed, changed, context) === undefined &&
        unseal(seed, sealed.subarray(0, place % sealed.length), context) === undefined
      )
    }),
  )
  t.pass()
})
