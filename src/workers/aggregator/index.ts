import { Type } from '#model'
import { type Context, defineService } from '#node'
import { type DevicePlace, fleetView, type Totals } from '#replication'
import { registrar } from '#rpc'
import { foldEvents } from './events.js'

const AggregatorConfigSchema = Type.Object({ role: Type.Literal('aggregator') }, { additionalProperties: false })

/** The record goes to every peer and stays: what changes all the time is written rarely. */
const totalsMs = 60_000
const inventoryMs = 300_000
const pulseMs = 5_000

/**
 * Folds the feeds that this node has into the fleet's record: the totals of each site, which devices there are and where, and what
 * happened that matters to all. Only where the record is written.
 */
export const aggregator = defineService({
  kind: 'aggregator',
  config: AggregatorConfigSchema,
  start(context: Context) {
    const { directory, clock, log } = context
    const fleet = context.use(fleetView(directory, { clock, log }))
    const write = () => directory.find(registrar)[0]?.client
    const fold = context.use(
      foldEvents({
        readers: directory.readers,
        write,
        maySay: ({ site }, { deviceId = '' }) => (fleet.device(deviceId)?.site ?? site) === site,
        clock,
        log,
      }),
    )
    context.stats(() => ({ ...fold.counts }))
    let toldTotals = ''
    let toldInventory = ''

    context.every(totalsMs, async () => {
      const sites = fleet.groups('site').map(({ key, totals }) => ({ site: key, totals: plain(totals) }))
      if (JSON.stringify(sites) === toldTotals) return
      for (const site of sites) await write()?.putSite(site)
      toldTotals = JSON.stringify(sites)
    })
    context.every(inventoryMs, async () => {
      const inventory = placesByWorker(fleet.match({}))
      if (JSON.stringify(inventory) === toldInventory) return
      for (const one of inventory) await write()?.putDevices(one)
      toldInventory = JSON.stringify(inventory)
    })
    context.every(pulseMs, async () => {
      context.alive()
      await fold.pulse()
    })
  },
})

/** The numbers of the totals, each by its name; null is unknown. */
function plain(totals: Totals): Record<string, number | null> {
  return Object.fromEntries(
    Object.entries(totals).flatMap(([name, value]): [string, number | null][] => {
      if (typeof value === 'number' || value === null) return [[name, value]]
      return Object.entries(value as Record<string, number>).map(([key, count]) => [`${name}.${key}`, count])
    }),
  )
}

function placesByWorker(records: ReturnType<ReturnType<typeof fleetView>['match']>) {
  const byWorker = new Map<string, { site: string; worker: string; devices: DevicePlace[] }>()
  for (const { id, site, worker, name, model, location } of records) {
    const key = `${site} ${worker}`
    const group = byWorker.get(key) ?? { site, worker, devices: [] }
    byWorker.set(key, group)
    group.devices.push({ id, ...(name ? { name } : {}), ...(model ? { model } : {}), location })
  }
  return [...byWorker.values()]
}
