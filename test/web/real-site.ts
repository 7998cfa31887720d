import type { Assertions } from 'brittle'
import { devices } from '#devices'
import { gateway } from '#gateway'
import { silentLog } from '#model'
import { createNode, type Placement } from '#node'
import { gatewayContract } from '#rpc'
import { type Farm, startFarm, startPlant } from '#sim'
import { type DeviceWorkerConfig, workerServices } from '#workers'

export interface RealSite {
  farm: Farm
  url: string
  /** A fresh link that signs in once. */
  link(): Promise<string>
}

const [deviceWorker, scanner, commander] = workerServices(devices)
const intervalMs = 1000

/** A whole demo site in this process: simulators behind sockets, workers, commander, scanner, gateway with the built page. Closed after the test. */
export async function realSite(
  t: Pick<Assertions, 'teardown'>,
  storage: string,
  count = 8,
  plantNames: readonly string[] = [],
): Promise<RealSite> {
  // Our timers do not keep a process alive; a browser that looks at the site does.
  const awake = setInterval(() => {}, 1000)
  const farm = await startFarm({ miners: count, seed: 1 })
  const plant = await startPlant({ names: plantNames, loadW: () => 20_000 })
  const all = [...farm.devices.map(({ machine: _, ...device }) => device), ...plant.devices]
  const libraries = [...new Set(all.map(({ library }) => library))]
  const workers = libraries.map((lib): Placement => {
    const own = all.filter(({ library }) => library === lib)
    const devices = own.map(({ library: _library, model: _model, ...entry }) => entry)
    const name = lib.replace('miner-', '')
    return { name, service: deviceWorker!, config: { lib, devices, intervalMs } satisfies DeviceWorkerConfig }
  })
  const node = await createNode({
    site: 'demo',
    storage,
    demo: true,
    log: silentLog,
    services: [
      ...workers,
      { name: 'scanner', service: scanner!, config: {} },
      { name: 'commander', service: commander!, config: {} },
      { name: 'gateway', service: gateway, config: { port: 0 } },
    ],
  })
  t.teardown(async () => {
    await node.close()
    await plant.close()
    await farm.close()
    clearInterval(awake)
  })
  await node.ready()
  const client = node.connect(gatewayContract)
  const { url } = await client.address({})
  return { farm, url, link: async () => (await client.signInCode({})).url }
}
