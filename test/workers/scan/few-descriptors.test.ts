import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'brittle'
import { forkSimulation } from '#sim'
import { descriptorLimit } from '../../../src/workers/sockets.js'

const webPort = 18_082
const child = fileURLToPath(new URL('./few-descriptors.child.ts', import.meta.url))
const miners = 1000

interface Outcome {
  limit: number
  state: string
  tried: number
  untried: number
  hosts: string[]
  unrecognised: unknown[]
  ms: number
}

/** Runs the scan in a process that may open so many files. */
async function scanUnder(limit: number, ...ranges: string[]): Promise<Outcome> {
  const node = [process.execPath, '--conditions=source', '--import', 'tsx', '--no-warnings', child, String(webPort)]
  const command = `ulimit -n ${limit}; exec "$@"`
  const { stdout } = await promisify(execFile)('sh', ['-c', command, 'sh', ...node, ...ranges], { timeout: 120_000 })
  return JSON.parse(stdout) as Outcome
}

test('a /22 with 1,000 live miners is complete under a limit of 512 open files', { timeout: 180_000 }, async (t) => {
  if (descriptorLimit() < 8000) return t.comment('this machine does not allow enough files for the simulators')
  const farm = await forkSimulation({ miners, address: '127.23.0.0/22', webPort })
  t.teardown(() => farm.close())
  const scan = await scanUnder(512, '127.23.0.0/22')
  t.comment(`${scan.ms} ms, ${scan.hosts.length} found`)
  t.is(scan.limit, 512)
  t.is(scan.state, 'complete')
  t.is(scan.tried, 1024)
  t.is(scan.untried, 0)
  t.alike(scan.unrecognised, [])
  t.is(scan.hosts.length, miners)
  t.alike(
    scan.hosts.slice(0, 5),
    farm.devices.slice(0, 5).map(({ host }) => host),
  )
})
