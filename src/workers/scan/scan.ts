import { type Device, type Identification, type Io, identify, portOf } from '#devices'
import { type Clock, SdkError, sleep, systemClock, withDeadline } from '#model'
import type { FoundDevice, Scan, ScanRequest } from '#rpc'
import { nearest } from '../libraries.js'
import { freeSockets, isOutOfSockets, knock, sharedSignal } from '../sockets.js'
import { type Budget, budget } from './budget.js'
import { addresses, countOf, parseRanges } from './ranges.js'

export interface ScanOptions {
  readonly signal?: AbortSignal
  /** Called now and then with how far it is, and at the end. */
  readonly progress?: (scan: Scan) => void
  readonly clock?: Clock
  readonly id?: string
  /** Sockets to use at once; default: what the limit of open files leaves. */
  readonly sockets?: number
}

/** A host on the same network accepts a connection within this, ms; more is the caller's wish. */
const defaultConnectMs = 1000
/** Descriptors left for the rest of the process. */
const reservedDescriptors = 96
/** More at once gain nothing. */
const maxSockets = 1024
/** Fewer make no scan. */
const leastSockets = 8
/** A host that could not be tried for want of sockets is tried so often again, after a pause, ms. */
const passes = 6
const passPauseMs = 250
const progressMs = 100
/** How much longer than one visit the recognition may take: several questions are asked one after the other. */
const recogniseFactor = 2

/**
 * Finds the devices of a range: knocks at the ports of all libraries, then recognises what answers. Sockets are planned by the limit of open
 * files, so that none is missed for want of them: what could not be tried is listed in `untried` and the scan is `incomplete`. Throws BAD_REQUEST
 * or TOO_LARGE for the ranges; a cancelled scan answers what it found so far.
 */
export async function scanOnce(
  devices: readonly Device[],
  request: ScanRequest,
  options: ScanOptions = {},
): Promise<Scan> {
  const clock = options.clock ?? systemClock
  const stretches = parseRanges(request.ranges)
  const search = newSearch(devices, request, options, clock)
  const scan: Scan = {
    id: options.id ?? 'scan',
    state: 'running',
    ranges: request.ranges,
    addresses: countOf(stretches),
    tried: 0,
    startedAt: clock.now(),
    found: [],
    untried: [],
    adopted: [],
    refused: [],
  }
  // Also keeps a process alive that does nothing but scan.
  const telling = setInterval(() => options.progress?.(scan), progressMs)
  try {
    const later = await walkAll(search, addresses(stretches), scan)
    return finish(scan, later, search.signal.aborted, clock, options)
  } finally {
    clearInterval(telling)
  }
}

/** Every host once; those for whom no socket was free again, with fewer at once. Answers those that could not be tried at all. */
async function walkAll(search: Search, hosts: Iterable<string>, scan: Scan): Promise<readonly string[]> {
  const first = search.sockets
  let later = await walk(search, hosts, scan)
  for (let pass = 1; pass < passes && later.length > 0 && !search.signal.aborted; pass++) {
    await sleep(search.clock, passPauseMs, search.signal).catch(() => {})
    const sockets = budget(Math.max(leastSockets, Math.floor(first.size / 2 ** pass)))
    later = await walk({ ...search, sockets }, later, scan)
  }
  return later
}

function finish(scan: Scan, later: readonly string[], cancelled: boolean, clock: Clock, options: ScanOptions): Scan {
  scan.found.sort((a, b) => order(a.host) - order(b.host))
  scan.untried = later.map((host) => ({ host, reason: 'no free socket' }))
  scan.endedAt = clock.now()
  scan.state = cancelled ? 'cancelled' : later.length > 0 ? 'incomplete' : 'complete'
  if (scan.state === 'incomplete') {
    scan.reason = `${later.length} addresses could not be tried: too few open files are allowed (ulimit -n)`
  }
  options.progress?.(scan)
  return scan
}

/** What one scan needs at each address. */
interface Search {
  readonly candidates: readonly Device[]
  readonly ports: readonly number[]
  readonly named: Readonly<Record<string, number>>
  readonly connectMs: number
  readonly recogniseMs: number
  readonly sockets: Budget
  readonly signal: AbortSignal
  readonly clock: Clock
}

function newSearch(devices: readonly Device[], request: ScanRequest, options: ScanOptions, clock: Clock): Search {
  const asked = request.libraries ? request.libraries.flatMap((name) => ofLibrary(devices, name)) : devices
  const candidates = asked.filter(({ reach }) => reach !== 'named')
  if (candidates.length === 0)
    throw new SdkError(
      'BAD_REQUEST',
      `devices of ${request.libraries?.join(', ')} cannot be found by knocking: add them`,
    )
  const named = request.ports ?? {}
  const ports = candidates.flatMap(({ identify }) => identify.probes.map(({ port }) => portOf({ ports: named }, port)))
  return {
    candidates,
    named,
    ports: [...new Set(ports)],
    connectMs: request.connectMs ?? defaultConnectMs,
    recogniseMs: Math.max(0, ...candidates.map(({ defaults }) => defaults.timeoutMs)) * recogniseFactor,
    sockets: budget(Math.min(maxSockets, options.sockets ?? freeSockets(reservedDescriptors))),
    signal: sharedSignal(options.signal ?? new AbortController().signal),
    clock,
  }
}

function ofLibrary(devices: readonly Device[], name: string): readonly Device[] {
  const found = devices.filter(({ library }) => library === name)
  if (found.length > 0) return found
  const near = nearest(name, [...new Set(devices.map(({ library }) => library))])
  throw new SdkError('BAD_REQUEST', `there is no device library ${name}; did you mean ${near.join(' or ')}?`)
}

/** Looks at every host, as many at once as there are sockets. Answers those that have to be tried again for want of sockets. */
async function walk(search: Search, hosts: Iterable<string>, scan: Scan): Promise<string[]> {
  const line = hosts[Symbol.iterator]()
  const later: string[] = []
  const lane = async () => {
    for (let next = line.next(); !next.done && !search.signal.aborted; next = line.next()) {
      const host = next.value
      try {
        const found = await look(search, host)
        if (search.signal.aborted) return
        scan.tried++
        if (found) scan.found.push(found)
      } catch (error) {
        if (search.signal.aborted) return
        if (!isOutOfSockets(error)) throw error
        later.push(host)
      }
    }
  }
  await Promise.all(Array.from({ length: search.sockets.size }, lane))
  return later
}

/** What is at the host; undefined if nobody answers. Rejects if we have no sockets left to tell. */
async function look(search: Search, host: string): Promise<FoundDevice | undefined> {
  const { ports, sockets, connectMs, signal } = search
  const knocks = await Promise.all(
    ports.map((port) =>
      sockets
        .spend(1, () => knock(host, port, connectMs, signal))
        .then(
          () => port,
          (error: unknown) => {
            if (isOutOfSockets(error)) throw error
            return undefined
          },
        ),
    ),
  )
  const open = new Set(knocks.filter((port) => port !== undefined))
  if (open.size === 0) return undefined
  const first = await recognise(search, host, open)
  // A controller may be busy for a moment: one that accepted and then said nothing is asked once more.
  const result = first.device || !first.error ? first : await recognise(search, host, open)
  return describe(search, host, open, result)
}

async function recognise(search: Search, host: string, openPorts: ReadonlySet<number>): Promise<Identification> {
  const { candidates, sockets, recogniseMs, signal, named, clock } = search
  // A scan knows no passwords: a probe that signs in does so with the factory login of its own brand.
  const io: Io = { host, ports: named, credentials: [], signal, memory: new Map(), clock }
  const answer = await sockets.spend(openPorts.size, () =>
    withDeadline(
      recogniseMs,
      signal,
      (within) => identify(candidates, { ...io, signal: within }, { openPorts }),
      'DEVICE_TIMEOUT',
    ).catch((error): Identification => {
      signal.throwIfAborted()
      return { seen: [error instanceof Error ? error.message : String(error)], error }
    }),
  )
  if (answer.error && isOutOfSockets(answer.error)) throw answer.error
  return answer
}

function describe(search: Search, host: string, open: ReadonlySet<number>, result: Identification): FoundDevice {
  const { device, match, seen } = result
  const { named } = search
  return {
    host,
    port: device ? portOf({ ports: named }, device.mainPort) : [...open][0]!,
    ...(Object.keys(named).length > 0 ? { ports: { ...named } } : {}),
    library: device?.library ?? null,
    family: device?.family ?? null,
    make: device?.make ?? null,
    model: match?.model ?? null,
    variant: match?.variant ?? null,
    firmware: match?.firmware ?? null,
    mac: match?.mac ?? null,
    confidence: match?.confidence ?? 0,
    seen: [...seen],
    knownAs: null,
  }
}

function order(host: string): number {
  return host.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}
