/**
 * The history of a worker's feed: what a sample takes, what it costs, how fast it is seen and read elsewhere. Times are CPU times where they
 * can be; ratios are of one run. `npm run bench -- history --size --cold` runs some of it.
 */
import { rmSync } from 'node:fs'
import { catchUp } from './history/catch-up.js'
import { cold } from './history/cold.js'
import { cost, stalls } from './history/cost.js'
import { fleet } from './history/fleet.js'
import { group } from './history/group.js'
import { latency } from './history/latency.js'
import { folder } from './history/place.js'
import { size } from './history/size.js'

const parts: Record<string, () => Promise<void>> = {
  size: () => size(100, 3),
  cost: () => cost(10_000, 60),
  stalls: () => stalls(10_000),
  latency: () => latency(16, 30),
  cold: () => cold(),
  group: () => group(10_000, 30),
  'catch-up': () => catchUp(1000),
  fleet: () => fleet(10_000, 300),
}
const asked = process.argv.slice(2).map((each) => each.replace(/^--/, ''))
const known = asked.filter((name) => Object.hasOwn(parts, name))
try {
  for (const name of known.length > 0 ? known : Object.keys(parts)) await parts[name]!()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit()
