import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'brittle'
import { issueGrant, openIdentity } from '#keys'
import { silentLog, systemClock } from '#model'
import { createFleet, loadGrant, mainProcess } from '#node'
import { openRecord } from '#replication'
import { cli, startCli } from '../support/cli.js'
import { commandIn } from '../support/docs.js'
import { until } from '../support/fake-clock.js'

const trust = commandIn('docs/recovery.md', 'fleet trust-copy')
const env = { MININGSDK_LOG_LEVEL: 'error', MININGSDK_BOOTSTRAP: 'local' }

/** A node that has let another one in, and lost power while its record was open. */
async function afterLossOfPower(cwd: string): Promise<void> {
  const storage = join(cwd, 'data')
  const ownerFile = join(cwd, 'owner.key')
  const common = { clock: systemClock, log: silentLog }
  const plan = { storage, name: 'acme', member: 'one', bootstrap: 'local', ownerFile, ...common } as const
  const membership = await createFleet(plan)
  const identity = await openIdentity(storage)
  const grant = (await loadGrant(storage, mainProcess))!
  const record = await openRecord({
    path: join(storage, 'record'),
    primaryKey: identity.seed('record/node'),
    key: membership.record,
    encryptionKey: Buffer.from(membership.encryptionKey, 'hex'),
    member: identity.keyPair(),
    ...common,
  })
  const facts = { subject: 'ab'.repeat(32), role: 'worker', from: Date.now() } as const
  await record.write({ op: 'addMember', name: 'gone', grant: issueGrant(identity.keyPair(), grant, facts) })
  await record.close()
  const mark = join(storage, 'record/record.json')
  writeFileSync(mark, JSON.stringify({ ...JSON.parse(readFileSync(mark, 'utf8')), open: true, boot: 'another' }))
}

test('a record that lost power is said to wait for a peer, and goes on by the word of its operator', {
  timeout: 180_000,
}, async (t) => {
  const cwd = await t.tmp()
  await afterLossOfPower(cwd)
  const services = [{ name: 'gateway', port: 0 }]
  writeFileSync(join(cwd, 'miningsdk.config.json'), JSON.stringify({ site: 'hq', services }))
  const run = (...args: string[]) => cli(args, { cwd, env })
  const site = startCli(['start'], { cwd, env })
  t.teardown(() => site.kill())
  await site.saw(/Sign in once/)
  await until(async () => (await run('status')).stdout.includes('fleet trust-copy'), 'the status says so', 60_000)
  const { stdout: findings } = await run('doctor')
  t.ok(/record\twarning\t.*lost power/.test(findings), findings)
  t.ok((await run(...trust)).stderr.includes('STORE_LOCKED'), 'not while it runs')
  site.child.kill('SIGTERM')
  await site.ended

  const asked = await run('fleet', 'trust-copy')
  t.ok(asked.code === 2 && asked.stderr.includes('breaks for good'), asked.stderr)
  const trusted = await run(...trust, '--json')
  t.alike(JSON.parse(trusted.stdout), { trusted: true }, trusted.stderr)
  t.alike(JSON.parse((await run(...trust, '--json')).stdout), { trusted: false })
  const again = startCli(['start'], { cwd, env })
  t.teardown(() => again.kill())
  await again.saw(/Sign in once/)
  await until(async () => (await run('invite', '--role', 'worker')).code === 0, 'it writes again', 60_000)
  t.absent((await run('status')).stdout.includes('trust-copy'))
  again.child.kill('SIGTERM')
  await again.ended
})
