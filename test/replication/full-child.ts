import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { openStore } from '#replication'
import { record, start } from './support.js'

// Appends ticks until no file may grow any further, as on a full disk; then there is room again. Says what it was told, and what is there.
const [path = ''] = process.argv.slice(2)
const options = { path, worker: 'wm', site: 'home', intervalMs: 1000 }
let store = await openStore(options)
let tick = 0
const append = () => {
  const at = start + tick * 1000
  const settings = [{ deviceId: 'a', at, settings: { pools: randomBytes(40_000).toString('base64') } }]
  return store.append({ at, records: [record('a', at, { powerW: tick })], settings })
}
const failure = await (async () => {
  for (; ; tick++) {
    try {
      await append()
    } catch (error) {
      return error as Error & { code: string }
    }
  }
})()
const acknowledged = tick
spawnSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited'])
await store.close().catch(() => undefined)
store = await openStore(options)
const powers = async () => {
  const span = { from: start, to: start + 10_000_000 }
  const { series } = await store.history({ deviceId: 'a', metrics: ['powerW'], ...span, step: 'raw' })
  return series.powerW
}
const after = await powers()
await append()
const later = await powers()
await store.close()
const said = { code: failure.code, message: failure.message, acknowledged, after: after?.length, later: later?.length }
process.stdout.write(JSON.stringify({ ...said, whole: later?.every((power, index) => power === index) }))
