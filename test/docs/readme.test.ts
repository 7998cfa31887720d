import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'brittle'
import { cli, cliArgs, type Ended, startCli } from '../support/cli.js'

const readme = readFileSync('README.md', 'utf8')
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map((match) => match[1]!)
const lines = blocks('sh').flatMap((block) =>
  block
    .trim()
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, '')),
)

/** Lines that are tested elsewhere, because they install, run the tests themselves or never end. */
const elsewhere = [
  /^npm ci/,
  /^npx miningsdk (init|start)$/,
  /^npx miningsdk simulate /,
  /^npx miningsdk scan 127\.1\./,
  /^npx miningsdk watch$/,
  /^TOKEN=/,
  // test/docs/fleet.test.ts
  /^npx miningsdk (fleet|invite|join|members) ?/,
]

/** What a line may answer besides 0: an empty table of a filter that fits nothing is no failure, a scan of a network that is not there neither. */
function run(line: string, cwd: string): Promise<Ended> {
  const command = `npx() { shift; ${[process.execPath, ...cliArgs].map((part) => `'${part}'`).join(' ')} "$@"; }\nTOKEN=$(cat data/admin.token)\n${line}`
  const child = spawn('bash', ['-c', command], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
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

test('every command of the README does what it says on a running site', { timeout: 200_000 }, async (t) => {
  const cwd = await t.tmp()
  const site = startCli(['start'], { cwd, env: { MININGSDK_LOG_LEVEL: 'error' } })
  t.teardown(() => site.kill())
  const [, url] = await site.saw(/Dashboard\s+(\S+)/)
  const { stdout } = await cli(['devices', 'ls', '--json'], { cwd })
  const devices = JSON.parse(stdout) as { id: string; status: string }[]
  const id = (devices.find((device) => device.status === 'mining') ?? devices[0]!).id
  const todo = lines.filter((line) => !elsewhere.some((pattern) => pattern.test(line)))
  t.ok(todo.length >= 10, `${todo.length} commands`)
  for (const line of todo) {
    const here = line
      .replaceAll('http://127.0.0.1:3000', url!)
      .replaceAll('<id>', id)
      .replaceAll('10.0.0.0/22', '127.9.9.0/30')
      .replace('curl -N', 'curl -N -m 3')
    const { code, stdout, stderr } = await run(here, cwd)
    // A stream is cut by us, and that is how curl says so.
    const ended = line.includes('curl -N') ? code === 28 : code === 0
    t.ok(ended, `${line}: ${code} ${stderr.slice(0, 300)}`)
    t.absent(/"code":"[A-Z_]+","detail"|problem\+json/.test(stdout), line)
  }
  site.child.kill('SIGTERM')
  await site.ended
})

test('the configuration in the README is valid', async (t) => {
  const cwd = await t.tmp()
  const [config] = blocks('json')
  writeFileSync(join(cwd, 'miningsdk.config.json'), config!)
  const { code, stderr } = await cli(['config', 'check'], { cwd })
  t.is(code, 0, stderr)
})

const canBindPort80 = process.platform === 'linux' && process.getuid?.() === 0

test('500 simulated miners on their own addresses are all found by a scan of their network', {
  timeout: 120_000,
  skip: !canBindPort80,
}, async (t) => {
  const cwd = await t.tmp()
  mkdirSync(join(cwd, 'data'))
  const simulate = lines.find((line) => line.startsWith('npx miningsdk simulate'))!
  const scan = lines.find((line) => line.startsWith('npx miningsdk scan 127.1.'))!
  const words = (line: string) => line.split(' ').slice(2)
  // Without the faults of the example: a device that is dead at the moment of the scan is not found, and rightly so.
  const farm = startCli(words(simulate.replace(/ --faults \S+/, '')), { cwd })
  t.teardown(() => farm.kill())
  await farm.saw(/500/)
  const { code, stdout, stderr } = await cli([...words(scan), '--json'], { cwd })
  t.is(code, 0, stderr)
  const found = JSON.parse(stdout) as { library: string | null }[]
  t.is(found.length, 500)
  t.is(found.filter((each) => each.library === null).length, 0)
  farm.child.kill('SIGTERM')
  await farm.ended
})
