import { randomUUID } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, type Log, matches, SdkError, type Static, sleep, Type } from '#model'
import { lockFolder } from '../lock.js'
import { type DhtNodes, startNodes } from './bootstrap.js'
import type { Timings } from './timings.js'

/** The private DHT of the processes on this host. */
export interface LocalDht {
  readonly addresses: readonly string[]
  /** Whether its nodes run in this process. */
  readonly hosting: boolean
  close(): Promise<void>
}

const PortsSchema = Type.Object({
  ports: Type.Array(Type.Integer({ minimum: 1, maximum: 65_535 }), { minItems: 2, maxItems: 16 }),
  /** Another one: its nodes are new and know nobody yet. */
  generation: Type.String(),
})
type Ports = Static<typeof PortsSchema>

const nodeCount = 3
const loopback = '127.0.0.1'
const fileName = 'ports.json'
const firstPort = 49_152
const portTries = 20
const pollMs = 50
/** How long the host may take from its lock to its file. */
const startMs = 10_000

interface LocalOptions {
  /** Shared by the site's processes on this host. */
  readonly folder: string
  readonly clock: Clock
  /** 0 to 1. */
  readonly random: () => number
  readonly log: Log
  readonly timings: Timings
  /** The nodes are new, in this process or another: whatever was announced there has to be announced again. */
  onMoved(addresses: readonly string[]): void
}

/**
 * Finds the DHT of this folder, or starts it: whoever holds the lock hosts the nodes and writes their ports. When the host dies, the first to
 * notice takes its place on the same ports; what is connected does not notice. Throws UNAVAILABLE, STORE_FAILED.
 */
export async function joinLocalDht(options: LocalOptions): Promise<LocalDht> {
  const { clock, log, timings, onMoved } = options
  const folder = join(options.folder, 'dht')
  let hosted: Hosted | undefined
  let stopTimer = () => {}
  let closed = false
  let looking: Promise<void> = Promise.resolve()

  const find = async (): Promise<Ports> => {
    const deadline = clock.hr() + startMs
    for (;;) {
      hosted = await tryHost(folder, options)
      if (hosted) return hosted.ports
      const ports = await readPorts(folder)
      if (ports) return ports
      if (clock.hr() > deadline) {
        throw new SdkError('UNAVAILABLE', `the process that holds ${folder} does not start the local DHT`)
      }
      await sleep(clock, pollMs)
    }
  }

  let known = await find()

  const look = async () => {
    if (!hosted) {
      hosted = await tryHost(folder, options)
      if (hosted)
        log.info({ ports: hosted.ports.ports }, 'the host of the local DHT is gone: this process takes its place')
    }
    const now = hosted?.ports ?? (await readPorts(folder))
    if (closed || !now || now.generation === known.generation) return
    known = now
    onMoved(addressesOf(now))
  }
  const lookLater = () => {
    stopTimer = clock.after(timings.takeoverMs, () => {
      looking = look()
        .catch((error) => log.warn({ err: error }, 'cannot look after the local DHT'))
        .finally(() => {
          if (!closed && !hosted) lookLater()
        })
    })
  }
  if (!hosted) lookLater()

  return {
    get addresses() {
      return addressesOf(known)
    },
    get hosting() {
      return hosted !== undefined
    },
    async close() {
      closed = true
      stopTimer()
      await looking
      await hosted?.nodes.close()
      await hosted?.release()
    },
  }
}

interface Hosted {
  readonly ports: Ports
  readonly nodes: DhtNodes
  release(): Promise<void>
}

/** undefined: another process is the host. */
async function tryHost(folder: string, { clock, random }: LocalOptions): Promise<Hosted | undefined> {
  let release: () => Promise<void>
  try {
    release = await lockFolder(folder)
  } catch (error) {
    if (error instanceof SdkError && error.code === 'STORE_LOCKED') return undefined
    throw error
  }
  try {
    const before = await readPorts(folder)
    const nodes = await start(before?.ports, clock, random)
    const ports = { ports: nodes.addresses.map((text) => Number(text.split(':')[1])), generation: randomUUID() }
    await writePorts(folder, ports)
    return { ports, nodes, release }
  } catch (error) {
    await release()
    throw error
  }
}

/** On the ports of before, by which everyone knows the nodes; on others if they are taken meanwhile. */
async function start(before: readonly number[] | undefined, clock: Clock, random: () => number): Promise<DhtNodes> {
  for (let attempt = 0; ; attempt++) {
    const first = firstPort + Math.floor(random() * (65_535 - firstPort - nodeCount))
    const ports = attempt === 0 && before ? before : Array.from({ length: nodeCount }, (_, index) => first + index)
    try {
      return await startNodes(loopback, ports, [], clock)
    } catch (error) {
      if (!(error instanceof SdkError && error.code === 'PORT_IN_USE') || attempt >= portTries) throw error
    }
  }
}

function addressesOf({ ports }: Ports): string[] {
  return ports.map((port) => `${loopback}:${port}`)
}

async function readPorts(folder: string): Promise<Ports | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(join(folder, fileName), 'utf8'))
    return matches(PortsSchema, value) ? value : undefined
  } catch {
    // Not there yet, or broken: the next host writes it.
    return undefined
  }
}

async function writePorts(folder: string, ports: Ports): Promise<void> {
  const path = join(folder, fileName)
  await writeFile(`${path}.new`, JSON.stringify(ports), { mode: 0o600 })
  await rename(`${path}.new`, path)
}
