import { spawnSync } from 'node:child_process'
import test from 'brittle'

const limit = '--fsize=6000000:unlimited'
const can = spawnSync('prlimit', [limit, 'true']).status === 0

test('a disk that is full is said; nothing that was acknowledged is lost, and the store goes on when it is opened anew', {
  timeout: 60_000,
  skip: !can,
}, async (t) => {
  const node = [
    process.execPath,
    '--conditions=source',
    '--import',
    'tsx',
    'test/replication/full-child.ts',
    await t.tmp(),
  ]
  const { stdout, stderr } = spawnSync('prlimit', [limit, ...node], { encoding: 'utf8', timeout: 50_000 })
  const { code, message, acknowledged, after, later, whole } = JSON.parse(stdout || JSON.stringify({ message: stderr }))
  t.is(code, 'STORE_FAILED')
  t.ok(/File too large|No space/i.test(message), message)
  t.ok(acknowledged > 20, `${acknowledged} ticks`)
  t.ok(after === acknowledged || after === acknowledged + 1, `${after} are there`)
  t.is(later, acknowledged + 1)
  t.ok(whole, 'each once, in order')
})
