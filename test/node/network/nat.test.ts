import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test, { type Assertions } from 'brittle'
import { until } from '../../support/fake-clock.js'
import type { Part } from '../programs/nat-peer.js'
import { openLab, whyNoLab } from './nat-lab.js'

const program = fileURLToPath(new URL('../programs/nat-peer.ts', import.meta.url))
/** Short pauses, and no mercy: nothing else is to be waited for here. */
const timings: Part['timings'] = { redialMs: 200, maxRedialMs: 2_000, randomPunchMs: 1_000 }
const names = ['middle', 'independent', 'random', 'random2', 'double'] as const
type Name = (typeof names)[number]

/** A member in that namespace; answers what it has printed so far. */
function start(t: Assertions, namespace: string, part: Part) {
  const node = [process.execPath, '--conditions=source', '--import', 'tsx', '--no-warnings', program]
  const child = spawn('ip', ['netns', 'exec', namespace, ...node, JSON.stringify(part)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'), { order: 1 })
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  return {
    stop: () => child.kill('SIGKILL'),
    lines: () => out.split('\n').filter((line) => line !== ''),
    forget() {
      out = ''
    },
  }
}

const skip = whyNoLab()
if (skip !== undefined) console.log(`# the proof across NATs is skipped: ${skip}`)

test('members behind different NATs meet with no open port, and again after a cut and new addresses', {
  timeout: 230_000,
  skip: skip !== undefined,
}, async (t) => {
  const lab = openLab()
  t.teardown(() => lab.close(), { order: 10 })
  const site = {
    independent: lab.site('ind', ['endpoint-independent']),
    random: lab.site('rnd', ['random']),
    random2: lab.site('rn2', ['random']),
    double: lab.site('dbl', ['endpoint-independent', 'endpoint-independent']),
  }
  const [relayHost, ...nodes] = lab.addresses as [string, ...string[]]
  const part = { names, bootstrap: nodes.map((address) => `${address}:49737`), timings }
  const members = {
    middle: start(t, lab.middle, { ...part, name: 'middle', nodes, host: relayHost, relay: 'serve' }),
    ...(Object.fromEntries(
      Object.entries(site).map(([name, { namespace }]) => [
        name,
        start(t, namespace, { ...part, name, nodes: [], relay: 'use' }),
      ]),
    ) as Record<Exclude<Name, 'middle'>, ReturnType<typeof start>>),
  }
  /** Over which way the bytes of a pair came back. */
  const way = (from: Name, to: Name) =>
    members[from]
      .lines()
      .findLast((line) => line.startsWith(`${to} `))
      ?.split(' ')[1]
  const arrived = (from: Name, to: Name) => ['direct', 'relayed'].includes(way(from, to) ?? '')

  const started = performance.now()
  const missing = () => names.flatMap((a) => names.filter((b) => a !== b && !arrived(a, b)).map((b) => `${a} > ${b}`))
  await until(() => missing().length === 0, 'all pairs pass data', 150_000).catch((error) => {
    throw new Error(`${error.message}: ${missing().join(', ')}`)
  })
  t.comment(`all pairs after ${Math.round(performance.now() - started)} ms`)
  for (const a of names) for (const b of names) if (a < b) t.comment(`${a}, ${b}: ${way(a, b)}`)
  // A busy machine may answer too late for one punch; which way they go is settled when they meet, so they meet again.
  for (let attempt = 0; way('independent', 'double') !== 'direct' && attempt < 4; attempt++) {
    members.double.stop()
    await until(() => way('independent', 'double') === 'lost', 'the end of the double is noticed')
    members.double = start(t, site.double.namespace, { ...part, name: 'double', nodes: [], relay: 'use' })
    await until(() => missing().length === 0, 'it is back', 60_000)
  }
  t.is(way('independent', 'double'), 'direct', 'a hole is punched through three NATs')
  t.is(way('random', 'random2'), 'relayed', 'and where none can be, the relay helps')
  t.is(way('independent', 'middle'), 'direct')

  site.independent.cut()
  await until(() => way('middle', 'independent') === 'lost' && way('double', 'independent') === 'lost', 'it is missed')
  members.independent.forget()
  site.independent.move('5.5.5.99', 77)
  site.independent.mend()
  const mended = performance.now()
  await until(
    () => names.every((name) => name === 'independent' || arrived('independent', name)),
    'all are back',
    40_000,
  )
  t.comment(`back with new addresses after ${Math.round(performance.now() - mended)} ms`)
  await until(() => missing().length === 0, 'both ways', 20_000)
  t.pass('all pairs pass data again')
})
