import { type DeviceFilter, SdkError } from '#model'
import type { FleetView } from '#replication'
import type { Caller } from '#rpc'

/** A site that cannot be: where the allowed and the wanted have nothing in common, nothing is found. */
const nowhere = '\u0000'

export type Sight = Omit<FleetView, 'readerOf' | 'contested' | 'watch' | 'close'>

/** The fleet as a caller may see it: only its sites, and of anything else not even that it is there. */
export function seenBy(fleet: FleetView, { sites }: Pick<Caller, 'sites'>): Sight {
  if (!sites) return fleet
  const narrow = (filter: DeviceFilter = {}): DeviceFilter => {
    const common = filter.site ? sites.filter((site) => filter.site!.includes(site)) : [...sites]
    return { ...filter, site: common.length > 0 ? common : [nowhere] }
  }
  const device = (id: string) => {
    const record = fleet.device(id)
    return record && sites.includes(record.site) ? record : undefined
  }
  const visible = (id: string) => {
    if (!device(id)) throw new SdkError('NOT_FOUND', `there is no device ${id}`)
    return id
  }
  return {
    device,
    devices: (query) => fleet.devices({ ...query, filter: narrow(query.filter) }),
    match: (filter) => fleet.match(narrow(filter)),
    totals: (filter) => fleet.totals(narrow(filter)),
    groups: (by, filter) => fleet.groups(by, narrow(filter)),
    history: async (query) => fleet.history({ ...query, deviceId: visible(query.deviceId) }),
    groupHistory: (query) => fleet.groupHistory({ ...query, filter: narrow(query.filter) }),
    async events(query) {
      if (query.deviceId !== undefined) visible(query.deviceId)
      return fleet.events({ ...query, sites })
    },
    settings: async (id, limit) => fleet.settings(visible(id), limit),
    feeds: () => fleet.feeds().filter(({ site }) => sites.includes(site)),
  }
}
