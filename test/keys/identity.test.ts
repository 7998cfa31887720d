import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'brittle'
import { fingerprintOf, identityFile, issueGrant, makeOwnerKey, openIdentity, openOwnerKey, verifyGrant } from '#keys'
import { at, peer, refusal, seenBy } from './peers.js'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const modeOf = async (path: string) => (await stat(path)).mode & 0o777

test('an identity is made once, for its owner alone, and is the same at every start', async (t) => {
  const folder = join(await t.tmp(), 'deep', 'node')
  const first = await openIdentity(folder)
  t.is(await modeOf(join(folder, identityFile)), 0o600)
  t.is(await modeOf(folder), 0o700)
  t.alike(await readdir(folder), [identityFile], 'no drafts are left')
  const again = await openIdentity(folder)
  t.is(again.key, first.key)
  t.is(hex(again.keyPair('dht').secretKey), hex(first.keyPair('dht').secretKey))
  t.is(hex(again.seed('feeds')), hex(first.seed('feeds')))
  t.ok(/^[0-9a-f]{64}$/.test(first.key))
  t.is(hex(first.keyPair().publicKey), first.key)
  t.is(first.fingerprint, fingerprintOf(first.key))
  t.is(first.fingerprint.length, 12)
})

test('every purpose has a secret of its own, and none is that of the file', async (t) => {
  const folder = await t.tmp()
  const identity = await openIdentity(folder)
  const file = JSON.parse(await readFile(join(folder, identityFile), 'utf8'))
  const secrets = [
    file.seed,
    ...['a', 'b', ''].map((name) => hex(identity.seed(name))),
    ...[undefined, 'a', 'b', 'node', ''].map((name) => hex(identity.keyPair(name).secretKey.subarray(0, 32))),
  ]
  t.is(new Set(secrets).size, secrets.length)
})

test('many starts at once in a new folder agree on one identity', async (t) => {
  const folder = await t.tmp()
  const all = await Promise.all(Array.from({ length: 8 }, () => openIdentity(folder)))
  t.is(new Set(all.map(({ key }) => key)).size, 1)
  t.is((await openIdentity(folder)).key, all[0]!.key)
  t.alike(await readdir(folder), [identityFile])
})

test('an identity that others may read is refused, with what to do', async (t) => {
  const folder = await t.tmp()
  const { key } = await openIdentity(folder)
  for (const mode of [0o640, 0o604, 0o620, 0o666]) {
    await chmod(join(folder, identityFile), mode)
    const error = await refusal(() => openIdentity(folder))
    t.is(error.code, 'SECRET_EXPOSED')
    t.ok(error.message.includes('chmod 600') && error.message.includes(mode.toString(8)), error.message)
  }
  await chmod(join(folder, identityFile), 0o600)
  t.is((await openIdentity(folder)).key, key)
})

test('a damaged identity is said and never replaced', async (t) => {
  const folder = await t.tmp()
  const path = join(folder, identityFile)
  await openIdentity(folder)
  const whole = await readFile(path, 'utf8')
  const { seed } = JSON.parse(whole)
  const broken = [
    '',
    whole.slice(0, 100),
    whole.replace(seed, `${seed[0] === 'f' ? '0' : 'f'}${seed.slice(1)}`),
    whole.replace('"v": 1', '"v": 2'),
    whole.replace('"node"', '"owner"'),
    'x'.repeat(10_000),
  ]
  for (const text of broken) {
    await writeFile(path, text)
    const error = await refusal(() => openIdentity(folder))
    t.is(error.code, 'SECRET_DAMAGED', error.message)
    t.absent(error.message.includes(seed))
    t.is(await readFile(path, 'utf8'), text, 'left as it is')
  }
  await writeFile(path, whole)
  t.ok(await openIdentity(folder))
})

test('a folder in the place of the identity is not mistaken for none', async (t) => {
  const folder = await t.tmp()
  await mkdir(join(folder, identityFile), { mode: 0o700 })
  t.is((await refusal(() => openIdentity(folder))).code, 'STORE_FAILED')
})

test("the owner's key lies where its owner wants it, opens with its passphrase, and signs", {
  timeout: 120_000,
}, async (t) => {
  const folder = await t.tmp()
  await chmod(folder, 0o755)
  const path = join(folder, 'owner.key')
  const made = await makeOwnerKey(path, 'correct horse battery')
  t.is(await modeOf(path), 0o600)
  t.is(await modeOf(folder), 0o755, 'a folder that is not ours keeps its rights')
  t.absent('seed' in JSON.parse(await readFile(path, 'utf8')), 'nothing of the secret stands in the open')
  const opened = await openOwnerKey(path, 'correct horse battery')
  t.is(opened.fleet, made.fleet)
  const subject = peer('hub').key
  const grant = issueGrant(opened.keyPair, undefined, { subject, role: 'aggregator', from: at })
  t.is(verifyGrant(grant, seenBy({ ...opened.keyPair, key: made.fleet })).key, subject)

  t.is((await refusal(() => openOwnerKey(path, 'incorrect'))).code, 'PASSPHRASE_WRONG')
  const without = await refusal(() => openOwnerKey(path))
  t.is(without.code, 'PASSPHRASE_WRONG')
  t.ok(/passphrase is needed/.test(without.message))
  t.is((await refusal(() => makeOwnerKey(path))).code, 'CONFLICT')
  t.is((await openOwnerKey(path, 'correct horse battery')).fleet, made.fleet, 'it was not replaced')
  t.is((await refusal(() => openOwnerKey(join(folder, 'none.key')))).code, 'NOT_FOUND')
})

test("the owner's key may be kept without a passphrase, and is no node", async (t) => {
  const folder = await t.tmp()
  const made = await makeOwnerKey(join(folder, identityFile))
  t.is((await openOwnerKey(join(folder, identityFile))).fleet, made.fleet)
  const error = await refusal(() => openIdentity(folder))
  t.is(error.code, 'SECRET_DAMAGED')
  t.ok(/key of a fleet's owner/.test(error.message), error.message)
})
