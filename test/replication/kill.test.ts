import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import test, { type Assertions } from 'brittle'
import { build } from 'esbuild'
import type { Life } from './kill-child.js'

/** Kills of each writer. More of them by hand: `node --conditions=source --import tsx test/replication/kill.test.ts 500`. */
const rounds = Number(process.argv[2] ?? 5)
const writers = 2
/** A kill ends a life of each of them: all are in the middle of something else. */
const storesAWriter = 20
/** Of one store in a life, on the average. */
const mostTicks = 40
const mostDelayMs = 12

type Writer = ChildProcessByStdio<Writable, Readable, null>
type Mutable = { -readonly [K in keyof Life]: Life[K] }

/** One file starts in a tenth of the time of all the sources. */
async function writerOf(t: Assertions): Promise<() => Writer> {
  const folder = await t.tmp()
  const outfile = join(folder, 'writer.mjs')
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  await build({
    entryPoints: ['test/replication/kill-child.ts'],
    conditions: ['source'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  })
  return () => {
    const child = spawn(process.execPath, [outfile], { stdio: ['pipe', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    return child
  }
}

/** Lets a writer look at its stores and go on with them, and kills it at a random moment; answers how many were open, and what was wrong. */
function runAndKill(
  child: Writer,
  lives: readonly Mutable[],
  mayWrite = true,
): Promise<{ open: number; wrong: string[] }> {
  return new Promise((done, failed) => {
    const wrong: string[] = []
    const killAfter = Math.floor(Math.random() * mostTicks * lives.length)
    let [open, ticks, rest] = [0, 0, '']
    let timer: NodeJS.Timeout | undefined
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop()!
      for (const line of lines) {
        const [place, what, tick, found] = line.split('\t').map((word) => JSON.parse(word))
        const life = lives[place]!
        if (what === 'open') {
          open++
          for (const each of found) wrong.push(`${life.path}: ${each}`.slice(0, 2000))
        }
        if (what === 'document') life.documented = tick
        else life.acknowledged = tick
        if (what === 'tick') ticks++
      }
      const due = mayWrite ? ticks > killAfter : open === lives.length
      if (due) timer ??= setTimeout(() => child.kill('SIGKILL'), Math.random() * mostDelayMs)
    })
    child.on('error', failed)
    child.on('close', (_, signal) => {
      clearTimeout(timer)
      if (signal === 'SIGKILL') done({ open, wrong })
      else failed(new Error('the writer ended by itself'))
    })
    child.stdin.write(`${JSON.stringify(lives)}\n`)
  })
}

test('nothing is lost or doubled by a kill at any moment, in hundreds of lives, also while segments become chunks and chunks days', {
  timeout: 90_000 + rounds * 20_000,
}, async (t) => {
  const [begin, folder] = [await writerOf(t), await t.tmp()]
  let [killed, ticks] = [0, 0]
  const lane = async (_: unknown, number: number) => {
    const lives = Array.from(
      { length: storesAWriter },
      (_, place): Mutable => ({ path: join(folder, `${number}-${place}`), acknowledged: -1, documented: -1 }),
    )
    for (let round = 0; round <= rounds; round++) {
      const { open, wrong } = await runAndKill(begin(), lives, round < rounds)
      t.alike(wrong, [], `writer ${number}, kill ${round}`)
      if (round < rounds) killed += open
    }
    ticks += lives.reduce((sum, { acknowledged }) => sum + acknowledged + 1, 0)
  }
  await Promise.all(Array.from({ length: writers }, lane))
  t.ok(killed >= rounds * writers * storesAWriter * 0.8, `${killed} lives of ${ticks} ticks`)
})
