// Runs the benchmarks, each in a process of its own, on the built code. Usage: node scripts/bench.js [name ...]
// Each prints one JSON line a result; the last column says whether the goal was met. They are no part of the tests.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

const wanted = process.argv.slice(2)
const all = readdirSync('bench')
  .filter((name) => name.endsWith('.bench.ts'))
  .map((name) => name.replace('.bench.ts', ''))
const unknown = wanted.filter((name) => !all.includes(name))
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are ${all.join(', ')}`)
  process.exit(2)
}
let failed = 0
// The soak takes half an hour: only when asked for.
for (const name of wanted.length > 0 ? wanted : all.filter((each) => each !== 'soak')) {
  console.error(`# ${name}`)
  const { status } = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', `bench/${name}.bench.ts`], {
    stdio: 'inherit',
  })
  if (status !== 0) failed++
}
process.exit(failed > 0 ? 1 : 0)
