import type { FleetInfo, ServiceHealth } from '#rpc'

/** Others only read the record: how their copies were left does not matter. */
const writers: readonly string[] = ['aggregator', 'admin', 'owner']

/** Whether this node's copy of the record must meet a peer before it is written. Of the services the own node's stand first. */
export function isInDoubt(fleet: FleetInfo | null, services: readonly ServiceHealth[]): boolean {
  const own = services.find(({ kind }) => kind === 'mesh')
  return fleet !== null && writers.includes(fleet.role) && own?.stats.record_inDoubt === 1
}
