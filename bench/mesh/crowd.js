// Many workers in one process: each joins with the code it is sent, and runs as a node of its own. Plain JavaScript, so that no loader is
// measured with it.
import { join } from 'node:path'
import { miners } from '#devices'
import { silentLog, systemClock } from '#model'
import { createNode, joinFleet, mainProcess } from '#node'
import { workerServices } from '#workers'

/** At a time: what all start at once, all wait for. */
const atOnce = 8
const host = '127.0.0.1'
const service = workerServices(miners).find(({ kind }) => kind === 'device-worker')
const nodes = []

async function start(folder, name, code) {
  const storage = join(folder, name)
  const startedAt = performance.now()
  await joinFleet({ storage, code, name, host, clock: systemClock })
  const joinMs = performance.now() - startedAt
  const services = [{ name, service, config: { lib: 'miner-whatsminer' } }]
  const mesh = { process: mainProcess, host }
  nodes.push(await createNode({ site: 'field', storage, services, log: silentLog, mesh }))
  return joinMs
}

function figures() {
  const { user, system } = process.cpuUsage()
  return { rssMb: process.memoryUsage.rss() / 1e6, cpuS: (user + system) / 1e6 }
}

process.on('message', async ({ folder, codes, first }) => {
  if (!codes) return process.send(figures())
  const queue = [...codes.entries()]
  const joinMs = []
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift())
      joinMs.push(await start(folder, `worker-${first + next[0]}`, next[1]))
  }
  try {
    await Promise.all(Array.from({ length: atOnce }, work))
    process.send({ joinMs })
  } catch (error) {
    process.send({ error: String(error.stack) })
  }
})
process.on('disconnect', () => process.exit())
