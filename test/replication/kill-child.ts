import { openStore } from '#replication'
import { record, start } from './support.js'

// Appends ticks until it is killed, from the one after the last that is there; says on stdout what was acknowledged.
const [path = '', firstTick = '0'] = process.argv.slice(2)
const devices = 5
const limits = { segmentMs: 400, wholeRecordMs: 3000, foldSteps: 4, foldLeast: 1, mergeLeast: 0.2 }
const store = await openStore({ path, worker: 'wm', site: 'home', intervalMs: 1000, limits })
process.stdout.write('open\n')
for (let tick = Number(firstTick); ; tick++) {
  const at = start + tick * 100
  const records = Array.from({ length: devices }, (_, index) =>
    record(
      `d${index}`,
      at,
      { powerW: tick, acceptedShares: tick },
      { status: (tick + index) % 7 ? 'mining' : 'not-mining' },
    ),
  )
  const events = [{ at, type: 'status' as const, deviceId: `d${tick % devices}`, message: `tick ${tick}` }]
  await store.append({ at, records, events })
  if (tick % 10 === 0) await store.putDocument('newest', { tick })
  process.stdout.write(`${tick}\n`)
}
