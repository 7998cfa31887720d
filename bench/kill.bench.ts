/**
 * Writers of some stores each that are killed with -9 at random moments, again and again, and a check of every store after each that nothing that was
 * acknowledged is lost, and nothing there twice or wrong. A life is what a store is written between two kills. `npm run bench kill -- --lives 2000`; the default is short.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openStore } from '#replication'
import { report } from './report.js'

const options = process.argv.slice(2)
const lives = Number(options[options.indexOf('--lives') + 1] || 0) || 25
const start = 1_800_000_000_000
/** Writers at the same time, and the stores of each: all are in the middle of something else when it is killed. */
const writers = 2
const storesAWriter = 10
/** Of a store in a life. */
const mostTicks = 200
const mostDelayMs = 30
/** So many ticks in one store: it stays quick to check, and all that happens to segments happens. */
const ticksAStore = 3000
const limits = { segmentMs: 4000, wholeRecordMs: 3000, foldSteps: 4, foldLeast: 1 }

const writer = fileURLToPath(new URL('./kill-writer.js', import.meta.url))

interface Written {
  path: string
  /** The last tick that is there. */
  last: number
}

/** Answers the last tick of each store that the writer said was stored before it was killed. */
function live(stores: readonly Written[]): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const jobs = JSON.stringify(stores.map(({ path, last }) => [path, last + 1]))
    const child = spawn(process.execPath, [writer, jobs], { stdio: ['ignore', 'pipe', 'inherit'] })
    const acknowledged = stores.map(({ last }) => last)
    const killAfter = Math.floor(Math.random() ** 3 * mostTicks * stores.length)
    let [said, rest] = [0, '']
    let timer: NodeJS.Timeout | undefined
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop()!
      said += lines.length
      for (const line of lines) {
        const [place, tick] = line.split(' ').map(Number)
        acknowledged[place!] = tick!
      }
      if (said > killAfter) timer ??= setTimeout(() => child.kill('SIGKILL'), Math.random() * mostDelayMs)
    })
    child.on('error', reject)
    child.on('close', (_, signal) => {
      clearTimeout(timer)
      if (signal === 'SIGKILL') resolve(acknowledged)
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
let [done, stores, ticks] = [0, 0, 0]
const fresh = (): Written => ({ path: join(folder, String(stores++)), last: -1 })

async function lane(): Promise<void> {
  const own = Array.from({ length: Math.min(storesAWriter, Math.ceil(lives / writers)) }, fresh)
  while (done < lives) {
    done += own.length
    const acknowledged = await live(own)
    for (const [place, store] of own.entries()) {
      const last = await check(store.path, acknowledged[place]!)
      ticks += last - store.last
      store.last = last
      if (last <= ticksAStore) continue
      rmSync(store.path, { recursive: true })
      own[place] = fresh()
    }
  }
}

await Promise.all(Array.from({ length: writers }, lane))
rmSync(folder, { recursive: true, force: true })
report('kill', { lives: done, stores, ticks, lost: 0, doubled: 0, seconds: (performance.now() - began) / 1000 })
