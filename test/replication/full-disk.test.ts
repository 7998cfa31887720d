import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type Assertions } from 'brittle'
import { SdkError } from '#model'
import { openStore } from '#replication'
import { intervalMs, open, record, start } from './support.js'

/** A disk of its own; undefined where none may be mounted. */
async function smallDisk(t: Assertions, megabytes: number): Promise<string | undefined> {
  const path = join(await t.tmp(), 'disk')
  mkdirSync(path)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]).status === 0
  if (mounted) t.teardown(() => spawnSync('umount', ['-l', path]), { order: 2 })
  return mounted ? path : undefined
}

test('a disk that is full: said, nothing that was acknowledged is lost, and it goes on once there is room', async (t) => {
  const disk = await smallDisk(t, 64)
  if (!disk) return t.comment('skipped: this user may not mount a small disk')
  const path = join(disk, 'store')
  const filler = join(disk, 'filler')
  let store = await openStore({ path, worker: 'wm', site: 'home', intervalMs })
  const acknowledged: number[] = []
  /** A tick of what compresses badly. */
  const append = async (tick: number) => {
    const at = start + tick * 1000
    const settings = [{ deviceId: 'a', at, settings: { noise: randomBytes(100_000).toString('base64') } }]
    await store.append({ at, records: [record('a', at, { powerW: tick })], settings })
    acknowledged.push(at)
  }
  const stored = async () => {
    const asked = {
      deviceId: 'a',
      metrics: ['powerW'] as const,
      from: start,
      to: start + 10_000_000,
      step: 'raw' as const,
    }
    return (await store.history(asked)).at
  }
  for (let tick = 0; tick < 20; tick++) await append(tick)
  const { bavail, bsize } = statfsSync(disk)
  writeFileSync(filler, Buffer.alloc(bavail * bsize))

  let tick = 20
  const failure = await (async () => {
    for (; tick < 500; tick++) await append(tick)
  })().catch((error: unknown) => error)
  t.ok(failure instanceof SdkError && failure.code === 'STORE_FAILED', String(failure))
  t.alike((await stored()).slice(0, 20), acknowledged.slice(0, 20), 'what is there is read while the disk is full')
  const ending = await store.close().catch((error: unknown) => error)
  t.ok(ending instanceof SdkError, 'what could not be closed well is said')

  rmSync(filler)
  store = await open(t, path)
  const there = new Set(await stored())
  t.alike(
    acknowledged.filter((at) => !there.has(at)),
    [],
    `${acknowledged.length} ticks were acknowledged`,
  )
  await append(tick + 1)
  t.ok((await stored()).includes(start + (tick + 1) * 1000), 'it goes on')
})
