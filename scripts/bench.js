// Runs the benchmarks, each in a process of its own, on the built code. Usage: node scripts/bench.js [name ...] [--option ...]
// Options go to the benchmarks named. Each prints one JSON line a result; the last column says whether the goal was met. They are no part of the tests.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

const args = process.argv.slice(2)
const from = args.findIndex((arg) => arg.startsWith('-'))
const wanted = from < 0 ? args : args.slice(0, from)
const options = from < 0 ? [] : args.slice(from)
const all = readdirSync('bench')
  .filter((name) => name.endsWith('.bench.ts'))
  .map((name) => name.replace('.bench.ts', ''))
const unknown = wanted.filter((name) => !all.includes(name))
if (unknown.length > 0 || (options.length > 0 && wanted.length === 0)) {
  console.error(
    `${unknown.length > 0 ? `no benchmark ${unknown.join(', ')}` : 'options are for a benchmark that is named'}; there are ${all.join(', ')}`,
  )
  process.exit(2)
}
/** These take long: only when asked for. */
const long = ['soak', 'scale', 'kill']
let failed = 0
for (const name of wanted.length > 0 ? wanted : all.filter((each) => !long.includes(each))) {
  console.error(`# ${name}`)
  const args = ['--expose-gc', '--import', 'tsx', `bench/${name}.bench.ts`, ...options]
  if (spawnSync(process.execPath, args, { stdio: 'inherit' }).status !== 0) failed++
}
process.exit(failed > 0 ? 1 : 0)
