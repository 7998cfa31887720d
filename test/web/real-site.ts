import type { Assertions } from 'brittle'
import { miners } from '#devices'
import { gateway } from '#gateway'
import { silentLog } from '#model'
import { createNode, type Placement } from '#node'
import { gatewayContract } from '#rpc'
import { type Farm, startFarm } from '#sim'
import { type DeviceWorkerConfig, workerServices } from '#workers'

export interface RealSite {
  farm: Farm
  url: string
  /** A fresh link that signs in once. */
  link(): Promise<string>
}

const [deviceWorker, scanner, commander] = workerServices(miners)
const intervalMs = 1000

/** A whole demo site in this process: simulators behind sockets, workers, commander, scanner, gateway with the built page. Closed after the test. */
export async function realSite(t: Pick<Assertions, 'teardown'>, storage: string, count = 8): Promise<RealSite> {
  // Our timers do not keep a process alive; a browser that looks at the site does.
  const awake = setInterval(() => {}, 1000)
  const farm = await startFarm({ miners: count, seed: 1 })
  const libraries = [...new Set(farm.devices.map(({ library }) => library))]
  const workers = libraries.map((lib): Placement => {
    const own = farm.devices.filter(({ library }) => library === lib)
    const devices = own.map(({ library: _library, model: _model, machine: _machine, ...entry }) => entry)
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
    await farm.close()
    clearInterval(awake)
  })
  await node.ready()
  const client = node.connect(gatewayContract)
  const { url } = await client.address({})
  return { farm, url, link: async () => (await client.signInCode({})).url }
}
