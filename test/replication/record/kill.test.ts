import { spawn } from 'node:child_process'
import test from 'brittle'
import { until } from '../../support/fake-clock.js'
import { connect, createFleet, grant, open, peer } from './support.js'

/** More of them by hand: `node --conditions=source --import tsx test/replication/record/kill.test.ts 100`. */
const rounds = Number(process.argv[2] ?? 3)

/** Lets a writer run and kills it in the middle of its work; answers the last number that it said was stored. */
function runAndKill(path: string, from: number, afterWrites: number, delayMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const script = 'test/replication/record/kill-child.ts'
    const args = ['--conditions=source', '--import', 'tsx', script, path, String(from), 'one']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    let timer: NodeJS.Timeout | undefined
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk
      if (text.split('\n').length - 2 >= afterWrites) timer ??= setTimeout(() => child.kill('SIGKILL'), delayMs)
    })
    child.on('error', reject)
    child.on('close', (_, signal) => {
      clearTimeout(timer)
      const last = text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1)
      if (signal !== 'SIGKILL') reject(new Error(`the writer ended by itself: ${text.slice(-200)}`))
      else resolve(last === 'open' ? from - 1 : Number(last))
    })
  })
}

test('what was acknowledged is there after a kill at any moment, and the record goes on at once', {
  timeout: 60_000 + rounds * 20_000,
}, async (t) => {
  const path = await t.tmp()
  let stored = -1
  for (let round = 0; round < rounds; round++) {
    const acknowledged = await runAndKill(path, stored + 1, Math.floor(Math.random() * 30), Math.random() * 20)
    const copy = await open(t, path, { member: peer('first'), boot: 'one' })
    const found = copy.record.members().filter(({ name }) => name !== 'first')
    const last = found.length - 1
    if (last < acknowledged || last > acknowledged + 1) t.fail(`${acknowledged} acknowledged, ${last} there`)
    const expected = Array.from({ length: last + 1 }, (_, index) => `m${index}`)
    t.is(
      found
        .map(({ name }) => name)
        .sort()
        .join(),
      expected.sort().join(),
      `every member up to ${last}, once`,
    )
    t.is(copy.record.stats().inDoubt, 0, 'a process that died takes nothing along')
    stored = last
    await copy.close()
  }
  await runAndKill(path, stored + 1, 3, 1)
  const after = await open(t, path, { member: peer('first'), boot: 'two', limits: { peerMs: 50 } })
  t.is(after.record.stats().inDoubt, 1, 'a machine that died may')
  const more = { op: 'addMember', name: 'more', grant: grant(peer('more'), 'worker') } as const
  await t.exception(after.record.write(more), { code: 'UNAVAILABLE' })
})

test('a copy that was away for long catches up, and a new one reads all of it', async (t) => {
  const fleet = await createFleet(t)
  const away = await t.tmp()
  const before = await open(t, away, { key: fleet.record.key })
  const cut = connect(fleet, before)
  await cut()
  await before.close()
  const names = Array.from({ length: 300 }, (_, index) => `m${index}`)
  const intents = names.map((name) => ({ op: 'addMember', name, grant: grant(peer(name), 'worker') }) as const)
  for (let index = 0; index < intents.length; index += 50) await fleet.record.write(intents.slice(index, index + 50))
  t.is(fleet.record.members().length, 301)
  for (const path of [away, await t.tmp()]) {
    const copy = await open(t, path, { key: fleet.record.key })
    connect(fleet, copy)
    await until(() => copy.record.members().length === 301, 'it has all of it', 20_000)
    t.is(copy.record.stats().waiting, 0)
  }
})
