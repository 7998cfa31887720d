/** What a forked simulation runs: its options come as one JSON argument, its devices go to the parent. */
import { runSimulation } from './run.js'

try {
  await runSimulation(JSON.parse(process.argv[2] ?? '{}'), () => {})
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
  process.disconnect?.()
}
