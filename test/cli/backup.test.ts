import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'brittle'
import { openIdentity } from '#keys'
import { cli } from '../support/cli.js'

const passphrase = 'correct horse battery'

test('backup and restore carry a node over, with the passphrase from stdin or the environment', {
  timeout: 120_000,
}, async (t) => {
  const cwd = await t.tmp()
  const { key } = await openIdentity(join(cwd, 'data'))
  const made = await cli(['backup', 'site.backup', '--json'], { cwd, stdin: `${passphrase}\n` })
  t.is(made.code, 0, made.stderr)
  t.alike(JSON.parse(made.stdout), { node: key, file: 'site.backup', files: ['identity.key'] })
  t.is((await stat(join(cwd, 'site.backup'))).mode & 0o777, 0o600)

  const env = { MININGSDK_PASSPHRASE: passphrase }
  const back = await cli(['restore', 'site.backup', '--storage', 'moved', '--json'], { cwd, env })
  t.is(back.code, 0, back.stderr)
  t.is(JSON.parse(back.stdout).node, key)
  t.is((await openIdentity(join(cwd, 'moved'))).key, key)
  for (const { stdout, stderr } of [made, back]) t.absent((stdout + stderr).includes(passphrase))
})

test('what goes wrong with a backup is said, with its exit code, and nothing is replaced', {
  timeout: 120_000,
}, async (t) => {
  const cwd = await t.tmp()
  const env = { MININGSDK_PASSPHRASE: passphrase }
  t.ok((await cli(['backup', 'b'], { cwd, env })).stderr.includes('NOT_FOUND'), 'no node has run here')
  const { key } = await openIdentity(join(cwd, 'data'))
  t.is((await cli(['backup', 'b'], { cwd, env: { MININGSDK_PASSPHRASE: 'short' } })).code, 2)
  t.is((await cli(['backup', 'b'], { cwd })).code, 2, 'no passphrase at all')
  t.is((await cli(['backup', 'b'], { cwd, env })).code, 0)
  const before = await readFile(join(cwd, 'b'))
  const again = await cli(['backup', 'b'], { cwd, env })
  t.ok(again.code === 1 && again.stderr.includes('there already'), again.stderr)
  t.alike(await readFile(join(cwd, 'b')), before)

  const onto = await cli(['restore', 'b'], { cwd, env })
  t.ok(onto.code === 1 && onto.stderr.includes('CONFLICT'), onto.stderr)
  t.is((await openIdentity(join(cwd, 'data'))).key, key)
  const wrong = await cli(['restore', 'b', '--storage', 'new'], { cwd, stdin: 'something else\n' })
  t.ok(wrong.code === 5 && wrong.stderr.includes('PASSPHRASE_WRONG'), wrong.stderr)
  const none = await cli(['restore', 'nowhere', '--storage', 'new'], { cwd, env })
  t.ok(none.code === 1 && none.stderr.includes('ENOENT'), none.stderr)
})
