/**
 * Looks at a fleet from anywhere, without a way to command: joins with a code of `miningsdk invite --role monitor` the first time, keeps a
 * week of history in its folder, and shows what it has also while the sites are away. `npx tsx examples/monitor.ts <folder> [code]`.
 */
import { openMonitor } from 'miningsdk'

export async function main(storage: string, invite?: string): Promise<string[]> {
  const monitor = await openMonitor({ storage, keep: '7d', ...(invite ? { invite } : {}) })
  try {
    // Without the sites this ends with TIMEOUT, and what is here is shown with its age.
    await monitor.caughtUp(20_000).catch((error: Error) => console.error(error.message))
    const { devices, live, hashrateThs } = monitor.fleet.totals()
    const feeds = monitor.fleet.feeds()
    const lines = [
      `${monitor.name}: ${live} of ${devices} devices live, ${hashrateThs ?? 'unknown'} TH/s`,
      ...feeds.map(({ site, worker, ageMs }) => `${site}/${worker}: heard ${Math.round((ageMs ?? 0) / 1000)} s ago`),
    ]
    for (const { id } of monitor.fleet.devices({ limit: 3 }).data) {
      const to = Date.now()
      const series = await monitor.fleet.history({
        deviceId: id,
        metrics: ['hashrateThs'],
        from: to - 3_600_000,
        to,
        step: 'raw',
      })
      lines.push(`${id}: ${series.at.length} samples in the last hour`)
    }
    return lines
  } finally {
    await monitor.close()
  }
}

const [, script, folder, code] = process.argv
if (script?.endsWith('monitor.ts') && folder) console.log((await main(folder, code)).join('\n'))
