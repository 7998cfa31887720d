import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'brittle'
import type { RecordLog } from '#rpc'
import { cli, startCli } from '../support/cli.js'
import { until } from '../support/fake-clock.js'

const passphrase = 'correct horse battery staple'
const env = { MININGSDK_LOG_LEVEL: 'error', MININGSDK_BOOTSTRAP: 'local' }

test("with the owner's key a second aggregator comes in, and when the first is lost it goes on without it", {
  timeout: 240_000,
}, async (t) => {
  const [first, second] = [await t.tmp(), await t.tmp()]
  const ownerKey = join(first, 'owner.key')
  for (const [cwd, site] of [
    [first, 'hq'],
    [second, 'hq2'],
  ] as const)
    writeFileSync(
      join(cwd, 'miningsdk.config.json'),
      JSON.stringify({ site, services: [{ name: 'gateway', port: 0 }] }),
    )
  const sealed = { ...env, MININGSDK_PASSPHRASE: passphrase }
  const made = await cli(['fleet', 'create', '--member', 'one', '--owner-key', ownerKey], { cwd: first, env: sealed })
  t.is(made.code, 0, made.stderr)
  const start = async (cwd: string, more: Record<string, string> = {}) => {
    const running = startCli(['start'], { cwd, env: { MININGSDK_LOG_LEVEL: 'error', ...more } })
    t.teardown(() => running.kill())
    await running.saw(/Sign in once/)
    return running
  }
  const head = await start(first, env)
  const run = (cwd: string, ...args: string[]) => cli(args, { cwd, env, stdin: `${passphrase}\n` })
  const good = async (cwd: string, ...args: string[]) => {
    const { code, stdout, stderr } = await run(cwd, ...args)
    t.is(code, 0, `${args.join(' ')} ${stderr}`)
    return stdout
  }
  await until(async () => (await run(first, 'fleet', 'indexers')).code === 0, 'it keeps the record', 60_000)

  t.ok((await run(first, 'invite', '--role', 'admin')).stderr.includes('--owner <file>'), 'the way is named')
  const wrong = { ...env, MININGSDK_PASSPHRASE: 'something else entirely' }
  const refused = await cli(['invite', '--role', 'aggregator', '--owner', ownerKey], { cwd: first, env: wrong })
  t.ok(refused.stderr.includes('PASSPHRASE_WRONG'), refused.stderr)

  const asked = ['invite', '--role', 'aggregator', '--scope', 'admin', '--owner', ownerKey]
  const inviting = startCli(asked, { cwd: first, env, stdin: `${passphrase}\n` })
  t.teardown(() => inviting.kill())
  const [, code] = await inviting.saw(/^((?:\w{4}-){7,}\w+)$/m)
  await good(second, 'join', code!, '--name', 'two')
  t.ok((await inviting.ended).stderr.includes('two ('), 'who came in is said')
  await start(second)

  const logs = async (cwd: string) => {
    const { stdout } = await run(cwd, 'fleet', 'indexers', '--json')
    return stdout === '' ? [] : (JSON.parse(stdout) as RecordLog[])
  }
  const bothWrite = async (cwd: string) => (await logs(cwd)).filter(({ connected }) => connected).length === 2
  await until(async () => (await bothWrite(first)) && (await bothWrite(second)), 'both write', 60_000)
  const unasked = await run(first, 'fleet', 'rotate-topic')
  t.ok(unasked.code === 2 && unasked.stderr.includes('--yes'), unasked.stderr)
  t.alike(JSON.parse(await good(first, 'fleet', 'rotate-topic', '--yes', '--json')), { epoch: 1 })
  const atOne = async () => (await good(second, 'fleet', 'show')).includes('topic 1')
  await until(atOne, 'it has come', 20_000)
  t.ok((await run(second, 'fleet', 'recover', 'two', '--owner', ownerKey, '--yes')).stderr.includes('can be reached'))

  await head.kill()
  await until(async () => (await logs(second)).some(({ connected }) => !connected), 'it is away', 60_000)
  t.ok((await run(second, 'fleet', 'recover', 'two', '--yes')).stderr.includes('--owner <file>'))
  await good(second, 'fleet', 'recover', 'two', '--owner', ownerKey, '--yes')
  const signs = async () => (await logs(second)).filter((one) => one.signs).map(({ name }) => name)
  await until(async () => (await signs()).join() === 'two', 'the second signs', 30_000)
  await good(second, 'fleet', 'drop-writer', 'one', '--yes')
  t.alike(
    (await logs(second)).map(({ name }) => name),
    ['two'],
  )
  await good(second, 'members', 'revoke', 'one', '--owner', ownerKey, '--yes')
  t.ok((await good(second, 'members', 'ls')).includes('revoked'))
  await good(second, 'invite', '--role', 'worker', '--for', '30d')
  t.ok((await run(second, 'invite', '--device', 'wm.a')).stderr.includes('operator and gateway'))

  const { url } = JSON.parse(readFileSync(join(second, 'data/site.json'), 'utf8')) as { url: string }
  const authorization = `Bearer ${readFileSync(join(second, 'data/admin.token'), 'utf8').trim()}`
  const audit = await (await fetch(new URL('/api/v1/audit', url), { headers: { authorization } })).text()
  for (const path of ['/mesh/recover', '/mesh/writers/', '/revoke']) t.ok(audit.includes(path), `${path} is audited`)
  t.absent(audit.includes(passphrase))
})
