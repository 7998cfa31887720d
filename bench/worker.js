// A node with device workers, in a process of its own: what is measured is only that. Its parent sends `start` with services, then asks for
// `figures`. Plain JavaScript, so that no loader is measured with it.
import { Socket } from 'node:net'
import { miners } from '#devices'
import { createNode } from '#node'
import { workerServices } from '#workers'

const service = workerServices(miners).find(({ kind }) => kind === 'device-worker')
let node
let connections = 0
let peakBytes = 0
const { connect } = Socket.prototype
Socket.prototype.connect = function (...args) {
  connections++
  return connect.apply(this, args)
}
setInterval(() => {
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss())
}, 200).unref()

const answers = {
  async start({ storage, services }) {
    node = await createNode({
      site: 'bench',
      storage,
      services: services.map(({ name, config }) => ({ name, service, config })),
    })
    await node.ready()
  },
  figures() {
    const { user, system } = process.cpuUsage()
    const figures = {
      cpuMs: (user + system) / 1000,
      bytes: process.memoryUsage.rss(),
      peakBytes,
      connections,
      stats: {},
    }
    for (const { stats } of node.services())
      for (const [name, value] of Object.entries(stats)) figures.stats[name] = (figures.stats[name] ?? 0) + value
    peakBytes = 0
    return figures
  },
  async end() {
    await node?.close()
  },
}

process.on('message', async ({ type, ...message }) => {
  try {
    process.send({ answer: await answers[type](message) })
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) })
  }
})
process.on('disconnect', () => process.exit(0))
