import type { FleetRecord } from '#replication'
import type { SwarmServerStats } from '#rpc'
import type { Network } from '../network/index.js'

/** A node's part in its fleet in plain numbers, for `status` and `/metrics`. */
export function statsOf(
  network: Network,
  record: FleetRecord,
  readers: readonly { lag(): { behind: number } }[],
  { calls }: SwarmServerStats,
  refusals: Readonly<Record<string, number>>,
): Record<string, number> {
  const peers = network.peers()
  return {
    peers: peers.length,
    relayed: peers.filter(({ via }) => via === 'relayed').length,
    rttMaxMs: Math.max(0, ...peers.map(({ rttMs }) => rttMs ?? 0)),
    feedsFollowed: readers.length,
    blocksBehind: readers.reduce((sum, reader) => sum + reader.lag().behind, 0),
    callsServed: calls,
    ...Object.fromEntries(
      Object.entries(refusals).map(([reason, count]) => [`refused_${reason.replace(/\W/g, '_')}`, count]),
    ),
    ...Object.fromEntries(Object.entries(record.stats()).map(([name, value]) => [`record_${name}`, value])),
  }
}
