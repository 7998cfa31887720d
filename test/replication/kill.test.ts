import { spawn } from 'node:child_process'
import test from 'brittle'
import { open, start } from './support.js'

/** More of them by hand: `node --conditions=source --import tsx test/replication/kill.test.ts 500`. */
const rounds = Number(process.argv[2] ?? 4)
const limits = { segmentMs: 400, wholeRecordMs: 3000, foldSteps: 4, foldLeast: 1, mergeLeast: 0.2 }

/** Lets a writer run and kills it in the middle of its work; answers the last tick that it said was stored. */
function runAndKill(path: string, firstTick: number, afterTicks: number, delayMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const args = ['--conditions=source', '--import', 'tsx', 'test/replication/kill-child.ts', path, String(firstTick)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    let timer: NodeJS.Timeout | undefined
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk
      const acknowledged = text.split('\n').length - 2
      if (acknowledged >= afterTicks) timer ??= setTimeout(() => child.kill('SIGKILL'), delayMs)
    })
    child.on('error', reject)
    child.on('close', (_, signal) => {
      clearTimeout(timer)
      const last = text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1)
      if (signal !== 'SIGKILL') reject(new Error(`the writer ended by itself: ${text.slice(-200)}`))
      else resolve(last === 'open' ? firstTick - 1 : Number(last))
    })
  })
}

test('nothing is lost or doubled by a kill at any moment, also while segments become chunks and chunks days', {
  timeout: 90_000 + rounds * 20_000,
}, async (t) => {
  const path = await t.tmp()
  let stored = -1
  let documented = 0
  for (let round = 0; round < rounds; round++) {
    const acknowledged = await runAndKill(path, stored + 1, Math.floor(Math.random() * 90), Math.random() * 12)
    const store = await open(t, path, limits, { intervalMs: 1000 })
    const span = { from: start, to: start + 10_000_000 }
    const raw = await store.history({ deviceId: 'd0', metrics: ['powerW', 'acceptedShares'], ...span, step: 'raw' })
    const last = (raw.at.at(-1)! - start) / 100
    if (last < acknowledged || last > acknowledged + 1) t.fail(`${acknowledged} acknowledged, ${last} there`)
    const expected = Array.from({ length: last + 1 }, (_, tick) => tick)
    for (const deviceId of ['d0', 'd4']) {
      const { at, series } = await store.history({ deviceId, metrics: ['powerW'], ...span, step: 'raw' })
      t.is(
        at.map((time) => (time - start) / 100).join(),
        expected.join(),
        `${deviceId}: every tick up to ${last}, once`,
      )
      t.is(series.powerW?.join(), expected.join())
    }
    const counted = await store.history({ deviceId: 'd1', metrics: ['acceptedShares', 'powerW'], ...span, step: '1h' })
    t.is(
      counted.series.acceptedShares?.findLast((value) => value !== null),
      last,
    )
    const means = expected.reduce((sum, tick) => sum + tick, 0) / expected.length
    t.ok(
      Math.abs(counted.series.powerW!.find((value) => value !== null)! - means) < 1e-6,
      'roll-ups count each sample once',
    )
    const events = await store.events({ limit: 1000 })
    t.is(
      events.map(({ message }) => message).join(),
      expected
        .slice(-1000)
        .reverse()
        .map((tick) => `tick ${tick}`)
        .join(),
    )
    for (const [index, each] of [...store.records()].sort((a, b) => (a.id < b.id ? -1 : 1)).entries()) {
      t.is(
        `${each.id} ${each.at} ${each.metrics.powerW} ${each.status}`,
        `d${index} ${start + last * 100} ${last} ${(last + index) % 7 ? 'mining' : 'not-mining'}`,
      )
    }
    t.is(store.records().length, 5)
    const document = await store.getDocument<{ tick: number }>('newest')
    // Only what this life said it had stored counts: a tick may be there whose document was not written any more.
    const newest = Math.floor(acknowledged / 10) * 10
    if (newest > stored) documented = newest
    t.ok((document?.tick ?? 0) >= documented, 'documents too')
    t.is(store.stats().damagedBlocks, 0)
    stored = last
    await store.close()
  }
  t.comment(`${stored + 1} ticks in ${rounds} lives`)
})
