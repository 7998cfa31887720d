/** How long one call within a process takes, made as every call of the product is: typed client, bytes, guard, checks, handler, and back. */
import { Bench } from 'tinybench'
import { Type } from '#model'
import { client, contract, guard, local, mayAt, query, serve } from '#rpc'
import { report } from './report.js'

const goalUs = 20

const devices = contract('bench', {
  device: query({
    input: Type.Object({ id: Type.String({ minLength: 1, maxLength: 128 }) }),
    output: Type.Object({
      id: Type.String(),
      status: Type.String(),
      at: Type.Number(),
      metrics: Type.Record(Type.String(), Type.Union([Type.Number(), Type.Null()])),
    }),
  }),
})

const record = {
  id: 'home.wm-m56s.10.0.0.12',
  status: 'mining',
  at: 1_795_455_600_000,
  metrics: { hashrateThs: 205.1, powerW: 5550, boardTempMaxC: 71.5, inletTempC: null, uptimeS: 86_400 },
}

const endpoint = guard(devices, serve(devices, { device: () => record }), mayAt('home'))
const caller = { id: 'local:bench', scope: 'admin' } as const
const calls = client(devices, local(endpoint, caller, { signal: new AbortController().signal }))
const bench = new Bench({ time: 2_000, warmupTime: 500 })
bench.add('call', async () => {
  await calls.device({ id: record.id })
})
await bench.run()
const result = bench.tasks[0]!.result
if (result.state !== 'completed') throw new Error(`the benchmark ended as ${result.state}`)
const medianUs = result.latency.p50 * 1000
report('rpc', { medianUs, p99Us: result.latency.p99 * 1000, goalUs }, { medianUs: { value: medianUs, goal: goalUs } })
