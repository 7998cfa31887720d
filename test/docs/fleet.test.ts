import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'brittle'
import { cli, startCli } from '../support/cli.js'
import { until } from '../support/fake-clock.js'

const lines = [
  ...readFileSync('README.md', 'utf8').matchAll(/^npx miningsdk ((?:fleet|invite|join|members) [^#\n]+)/gm),
]
const words = (start: string) =>
  lines
    .map(([, line]) => line!.trim())
    .find((line) => line.startsWith(start))!
    .split(' ')

test('the commands of the README make a fleet of two machines, show it, and put one out again', {
  timeout: 240_000,
}, async (t) => {
  t.is(lines.length, 6)
  const [first, second] = [await t.tmp(), await t.tmp()]
  // On this machine alone, instead of the public DHT.
  const env = { MININGSDK_BOOTSTRAP: 'local', MININGSDK_LOG_LEVEL: 'error' }
  const site = (cwd: string, document: object) =>
    writeFileSync(join(cwd, 'miningsdk.config.json'), JSON.stringify(document))
  site(first, { site: 'hq', services: [{ name: 'gateway', port: 0 }] })
  site(second, { site: 'texas', services: [{ name: 'wm', lib: 'miner-whatsminer' }] })
  const run = async (cwd: string, args: readonly string[]) => {
    const { code, stdout, stderr } = await cli(args, { cwd, env })
    t.is(code, 0, `${args[0]} ${stderr}`)
    return stdout
  }

  await run(first, words('fleet create'))
  const head = startCli(['start'], { cwd: first, env })
  t.teardown(() => head.kill())
  await head.saw(/Sign in once/)
  const isMember = async () => (await cli(['fleet', 'show', '--json'], { cwd: first, env })).code === 0
  await until(isMember, 'it is a peer', 60_000)
  const code = (await run(first, words('invite'))).trim()
  await run(
    second,
    words('join').map((word) => (word === '<code>' ? code : word)),
  )
  const tail = startCli(['start'], { cwd: second, env: { MININGSDK_LOG_LEVEL: 'error' } })
  t.teardown(() => tail.kill())

  const states = async () =>
    (await run(first, words('members ls'))).split('\n').find((line) => line.includes('texas-1'))
  await until(async () => (await states())?.includes('connected'), 'it is connected', 60_000)
  t.ok((await run(first, words('fleet show'))).includes('texas-1'))
  await run(first, words('members revoke'))
  await until(async () => (await states())?.includes('revoked'), 'it is out', 20_000)
})
