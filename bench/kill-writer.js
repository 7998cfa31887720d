// Appends ticks to each of some stores until it is killed, and says each that was stored. In its own file, on the built code: it starts hundreds of times.
import { openStore } from '#replication'

const start = 1_800_000_000_000
const limits = { segmentMs: 4000, wholeRecordMs: 3000, foldSteps: 4, foldLeast: 1 }
const record = (id, at, metrics) => ({
  ...{ id, kind: 'miner', make: 'MicroBT', model: 'M56S', firmware: { family: 'stock', version: '1' } },
  ...{ site: 'home', worker: 'wm', address: '10.0.0.1:4028', tags: [], location: {}, simulated: true },
  ...{ status: 'mining', health: 'ok', at, askedAt: at, metrics },
  ...{ boards: [], fans: [], pools: [], errors: [], missing: {}, capabilities: [] },
})

async function write(place, path, first) {
  const store = await openStore({ path, worker: 'wm', site: 'home', intervalMs: 1000, limits })
  for (let tick = first; ; tick++) {
    const at = start + tick * 100
    const records = [0, 1, 2, 3, 4].map((index) => record(`d${index}`, at, { powerW: tick, acceptedShares: tick }))
    await store.append({ at, records, events: [{ at, type: 'status', deviceId: 'd0', message: `tick ${tick}` }] })
    // A pipe takes it before the next line runs: what was said is said, also when the kill comes.
    process.stdout.write(`${place} ${tick}\n`)
  }
}

for (const [place, [path, first]] of JSON.parse(process.argv[2]).entries()) void write(place, path, first)
