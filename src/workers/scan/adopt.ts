import { type DeviceEntry, errorInfo } from '#model'
import type { Directory } from '#node'
import { type Caller, deviceWorker, type FoundDevice, type Scan } from '#rpc'
import { acceptsType } from '../device/index.js'

/** Of an entry that is sent to a worker at once. */
const groupSize = 1000

interface Candidate {
  readonly library: string
  readonly deviceType: string | null
  readonly service: string
  add(entries: DeviceEntry[]): Promise<{ added: string[]; existing: string[] }>
}

/** Adds what was found to the workers that accept it, in the caller's name; the scan says what was added and what nobody takes. */
export async function adopt(
  directory: Directory,
  scan: Scan,
  caller: Caller,
  hosts?: readonly string[],
): Promise<void> {
  const workers = await candidatesOf(directory, caller)
  const wanted = hosts && new Set(hosts)
  const plan = new Map<Candidate, FoundDevice[]>()
  for (const found of scan.found) {
    if (wanted ? !wanted.has(found.host) : found.library === null) continue
    const worker = chosen(workers, found)
    if (worker) plan.set(worker, [...(plan.get(worker) ?? []), found])
    else refuse(scan, found.host, reasonOf(found))
  }
  for (const host of wanted ?? []) {
    if (!scan.found.some((found) => found.host === host)) refuse(scan, host, 'the scan found nothing there')
  }
  await Promise.all([...plan].map(([worker, group]) => addTo(scan, worker, group)))
}

async function candidatesOf(directory: Directory, caller: Caller): Promise<Candidate[]> {
  const workers = directory.find(deviceWorker).map(async ({ service, client }) => {
    const { library, deviceType } = await client.describe({}, { caller })
    return {
      service,
      library: library.library,
      deviceType,
      add: (entries: DeviceEntry[]) => client.addDevices({ entries }, { caller, timeoutMs: 60_000 }),
    }
  })
  const settled = await Promise.allSettled(workers)
  return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

/** The worker of its library that names its type most closely. */
function chosen(workers: readonly Candidate[], found: FoundDevice): Candidate | undefined {
  return workers
    .filter(
      ({ library, deviceType }) => library === found.library && acceptsType(deviceType, found.model, found.variant),
    )
    .sort((a, b) => (b.deviceType?.length ?? 0) - (a.deviceType?.length ?? 0))[0]
}

function reasonOf({ library, make, model }: FoundDevice): string {
  if (library === null) return 'it was not recognised'
  return `no worker takes it: add a service with lib ${library} for the ${make} ${model ?? 'device'}`
}

async function addTo(scan: Scan, worker: Candidate, group: readonly FoundDevice[]) {
  for (let start = 0; start < group.length; start += groupSize) {
    const part = group.slice(start, start + groupSize)
    try {
      const { added } = await worker.add(part.map(entryOf))
      scan.adopted.push(...added)
    } catch (error) {
      for (const { host } of part) refuse(scan, host, `${worker.service}: ${errorInfo(error).message}`)
    }
  }
}

/** Ports only where the operator named them: the usual ones go without saying. */
function entryOf({ host, port, ports }: FoundDevice): DeviceEntry {
  return ports === undefined ? { host } : { host, port, ports }
}

function refuse(scan: Scan, host: string, reason: string) {
  scan.refused = [...scan.refused.filter((each) => each.host !== host), { host, reason }]
}

/** The devices that are known already, by MAC or by address. */
export function markKnown(directory: Directory, scan: Scan): void {
  if (scan.found.length === 0) return
  const byMark = new Map<string, string>()
  for (const reader of directory.readers()) {
    for (const { id, mac, address } of reader.records()) {
      byMark.set(address, id)
      if (mac) byMark.set(mac.toUpperCase(), id)
    }
  }
  for (const found of scan.found) {
    found.knownAs = byMark.get(found.mac?.toUpperCase() ?? '') ?? byMark.get(`${found.host}:${found.port}`) ?? null
  }
}
