import type { Assertions } from 'brittle'
import { miners } from '#devices'
import { createNode, type Node, type Placement } from '#node'
import { type FleetView, fleetView } from '#replication'
import { type DeviceWorkerConfig, workerServices } from '#workers'

export interface Site {
  node: Node
  fleet: FleetView
  close(): Promise<void>
}

const [deviceWorker, scanner, commander] = workerServices(miners)

/** A node with device workers, a scanner and a commander; closed after the test. */
export async function startSite(
  t: Pick<Assertions, 'teardown'>,
  storage: string,
  workers: Record<string, DeviceWorkerConfig>,
): Promise<Site> {
  // Our timers do not keep a process alive; a test that waits for one does.
  const awake = setInterval(() => {}, 1000)
  const services: Placement[] = [
    ...Object.entries(workers).map(([name, config]) => ({ name, service: deviceWorker!, config })),
    { name: 'scanner', service: scanner!, config: {} },
    { name: 'commander', service: commander!, config: {} },
  ]
  const node = await createNode({ site: 'home', storage, services })
  await node.ready()
  const fleet = fleetView(node.directory)
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    fleet.close()
    await node.close()
    clearInterval(awake)
  }
  t.teardown(close)
  return { node, fleet, close }
}
