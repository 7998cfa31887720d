// Scans the ranges given as arguments and prints what came of it; the parent limits its open files.
import { miners } from '#devices'
import { scanOnce } from '../../../src/workers/scan/scan.js'
import { descriptorLimit } from '../../../src/workers/sockets.js'

const [webPort = '80', ...ranges] = process.argv.slice(2)
const scan = await scanOnce(miners, { ranges, ports: { http: Number(webPort) } })
const { state, tried, untried, found, startedAt, endedAt } = scan
console.log(
  JSON.stringify({
    limit: descriptorLimit(),
    state,
    tried,
    untried: untried.length,
    hosts: found.filter(({ library }) => library !== null).map(({ host }) => host),
    unrecognised: found.filter(({ library }) => library === null).map(({ host, seen }) => ({ host, seen })),
    ms: endedAt! - startedAt,
  }),
)
