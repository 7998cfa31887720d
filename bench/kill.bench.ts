/**
 * A writer that is killed with -9 at a random moment, again and again, and a check after each that nothing that it acknowledged is lost, and nothing
 * there twice or wrong. `npm run bench kill -- --lives 2000`; the default is short.
 */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openStore } from '#replication'
import { report } from './report.js'

const options = process.argv.slice(2)
const lives = Number(options[options.indexOf('--lives') + 1] || 0) || 25
const start = 1_800_000_000_000
const mostTicks = 400
const mostDelayMs = 30
/** So many ticks in one store: it stays quick to check, and all that happens to segments happens. */
const ticksAStore = 3000
const limits = { segmentMs: 4000, wholeRecordMs: 3000, foldSteps: 4, foldLeast: 1 }

const writer = fileURLToPath(new URL('./kill-writer.js', import.meta.url))

/** Answers the last tick that the writer said was stored before it was killed; -1 below `first`: none. */
function live(path: string, first: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = fork(writer, [path, String(first)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const killAt = first + Math.floor(Math.random() ** 3 * mostTicks)
    let last = first - 1
    let timer: NodeJS.Timeout | undefined
    child.on('message', (tick: number) => {
      last = tick
      if (tick >= killAt) timer ??= setTimeout(() => child.kill('SIGKILL'), Math.random() * mostDelayMs)
    })
    child.on('error', reject)
    child.on('close', (_, signal) => {
      clearTimeout(timer)
      if (signal === 'SIGKILL') resolve(last)
      else reject(new Error('the writer ended by itself'))
    })
  })
}

/** The last tick that is there; what is wrong is an error. */
async function check(path: string, acknowledged: number): Promise<number> {
  const store = await openStore({ path, worker: 'wm', site: 'home', intervalMs: 1000, limits })
  try {
    const query = { metrics: ['powerW'] as const, from: start, to: start + 10_000_000, step: 'raw' as const }
    let last = -1
    for (const deviceId of ['d0', 'd4']) {
      const { at, series } = await store.history({ deviceId, ...query })
      at.forEach((time, tick) => {
        if (time !== start + tick * 100 || series.powerW?.[tick] !== tick)
          throw new Error(`${deviceId}: tick ${tick} is ${series.powerW?.[tick]} at ${time - start}`)
      })
      last = at.length - 1
      if (last < acknowledged || last > acknowledged + 1)
        throw new Error(`${deviceId}: ${acknowledged} was acknowledged, ${last} is there`)
    }
    const [event] = await store.events({ limit: 1 })
    if (last >= 0 && event?.message !== `tick ${last}`) throw new Error(`the last event is ${event?.message}`)
    if (store.stats().damagedBlocks) throw new Error('a frame is damaged')
    return last
  } finally {
    await store.close()
  }
}

const folder = mkdtempSync(join(tmpdir(), 'kill-bench-'))
const began = performance.now()
let [stores, ticks, last, path] = [0, 0, -1, '']
for (let round = 0; round < lives; round++) {
  if (round === 0 || last > ticksAStore) {
    if (path) rmSync(path, { recursive: true })
    path = join(folder, String(stores++))
    last = -1
  }
  const before = last
  last = await check(path, await live(path, last + 1))
  ticks += last - before
}
rmSync(folder, { recursive: true, force: true })
report('kill', { lives, stores, ticks, lost: 0, doubled: 0, seconds: (performance.now() - began) / 1000 })
