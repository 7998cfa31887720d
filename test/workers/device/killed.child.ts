// Runs a site with one worker and says when all its devices are read; the parent kills it.

import { miners } from '#devices'
import { createNode } from '#node'
import { fleetView } from '#replication'
import { workerServices } from '#workers'

const { storage, config } = JSON.parse(process.argv[2] ?? '{}') as { storage: string; config: { devices: unknown[] } }
const node = await createNode({
  site: 'home',
  storage,
  services: [{ name: 'w', service: workerServices(miners)[0]!, config }],
})
await node.ready()
const fleet = fleetView(node.directory)
setInterval(() => {
  const read = fleet.match({ status: ['mining'] })
  if (read.length === config.devices.length) console.log('read')
}, 50)
