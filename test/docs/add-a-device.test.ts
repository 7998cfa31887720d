import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import test from 'brittle'
import type { DeviceRecord } from '#model'
import { cli, cliArgs, type Ended, startCli } from '../support/cli.js'
import { until } from '../support/fake-clock.js'

const doc = readFileSync('docs/add-a-device.md', 'utf8')
const lines = [...doc.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((match) => match[1]!.trim().split('\n'))

function run(line: string, cwd: string): Promise<Ended> {
  const npx = `npx() { shift; ${[process.execPath, ...cliArgs].map((part) => `'${part}'`).join(' ')} "$@"; }`
  const child = spawn('bash', ['-c', `${npx}\n${line}`], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  return new Promise((done) => child.once('close', (code) => done({ code, stdout, stderr })))
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const { port } = server.address() as { port: number }
  await new Promise((done) => server.close(done))
  return port
}

test('every step of the page does what it says, and the new device is read', { timeout: 200_000 }, async (t) => {
  const cwd = await t.tmp()
  mkdirSync(join(cwd, 'node_modules'))
  symlinkSync(resolve('.'), join(cwd, 'node_modules/miningsdk'))
  const site = startCli(['start'], { cwd, env: { MININGSDK_LOG_LEVEL: 'error' } })
  const port = await freePort()
  let standIn: ReturnType<typeof spawn> | undefined
  t.teardown(async () => {
    standIn?.kill('SIGKILL')
    site.child.kill('SIGTERM')
    await site.ended
  })
  await site.saw(/Sign in once/)
  t.ok(lines.length >= 10, `${lines.length} commands`)
  const all = async () => JSON.parse((await cli(['devices', 'ls', '--json'], { cwd })).stdout) as DeviceRecord[]
  const acme = async () => (await all()).find(({ worker }) => worker === 'miner-acme')

  for (const line of lines) {
    const here = line.replaceAll('8080', String(port))
    if (here.endsWith('&')) {
      const [command, ...args] = here.replace(/\s*&$/, '').split(' ')
      standIn = spawn(command!, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
      const died = once(standIn, 'exit').then(([code]) => Promise.reject(new Error(`${line}: ended with ${code}`)))
      await Promise.race([once(standIn.stdout!, 'data'), died])
      died.catch(() => {}) // later it is the test that ends it
      continue
    }
    const id = (await acme())?.id
    const named = id ? here.replace('demo.miner-acme.127.0.0.1', id) : here
    const { code, stdout, stderr } = await run(named, cwd)
    t.is(code, 0, `${line}: ${stdout.slice(-300)} ${stderr.slice(0, 500)}`)
    if (here.includes('devices add')) {
      await until(async () => (await acme())?.at, 'it is read')
      const record = (await acme())!
      t.is(record.status, 'mining')
      t.is(record.model, 'AX-1')
      t.is(record.metrics.hashrateThs, 198.4)
      t.is(record.boards.length, 3)
    }
    if (here.includes('setLed')) t.ok(stdout.includes('confirmed'), stdout)
  }
  t.absent(await acme())
  const { stdout } = await cli(['library', 'ls', '--json'], { cwd })
  t.absent(stdout.includes('miner-acme'))
})

test('the example keeps what the page promises of it', (t) => {
  const code = readFileSync('examples/custom-device/index.js', 'utf8')
  t.ok(code.split('\n').length < 100)
  t.alike(
    [...code.matchAll(/from '([^']+)'/g)].map(([, name]) => name).filter((name) => name !== 'status'),
    ['miningsdk'],
    'it imports the public SDK only',
  )
})
