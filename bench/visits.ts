import { Socket } from 'node:net'
import { type Device, type Io, identify, miners, observe } from '#devices'
import { systemClock } from '#model'
import type { Target } from './processes.js'

/** One connection of a visit: what was sent on it, request by request, as latin1. */
export interface Connection {
  host: string
  port: number
  requests: string[]
}

const concurrency = 128
/** All are identified so many times before it counts: until then most of the time goes into compiling. */
const warmPasses = 6
/** Longer than any idle connection is kept between visits. */
const idleMs = 3000

/** What an ordinary visit of each sends, and how many are identified a second: in a new process, and in one that has done so for a while. */
export interface Visits {
  visits: Connection[][]
  identifiedPerS: number
  identifiedAtFirstPerS: number
}

/** Identifies the targets, and notes what an ordinary visit of each sends: one after the first, on which everything is asked. */
export async function visitsOf(targets: readonly Target[]): Promise<Visits> {
  const ios = targets.map(ioOf)
  const devices = new Array<Device>(targets.length)
  const one = async (index: number) => {
    const library = targets[index]!.library
    const { device, seen } = await identify(
      miners.filter((candidate) => candidate.library === library),
      ios[index]!,
    )
    if (!device) throw new Error(`${targets[index]!.host} was not identified: ${seen.join('; ')}`)
    devices[index] = device
  }
  const pass = async () => {
    const started = performance.now()
    await each(targets.length, one)
    return targets.length / ((performance.now() - started) / 1000)
  }
  const identifiedAtFirstPerS = await pass()
  for (let warm = 1; warm < warmPasses; warm++) await pass()
  const identifiedPerS = await pass()
  const visits = new Array<Connection[]>(targets.length)
  const previous = new Array<Awaited<ReturnType<typeof observe>>['replies']>(targets.length)
  await each(targets.length, async (index) => {
    previous[index] = (await observe(devices[index]!, ios[index]!)).replies
  })
  // A connection kept from the visit before would hide that an ordinary one makes its own.
  await new Promise((done) => setTimeout(done, idleMs))
  // Who made a socket is not to be seen from it: one at a time.
  for (const index of targets.keys()) {
    const visit = await noted(() => observe(devices[index]!, ios[index]!, { previous: lasting(index) }))
    if (visit.length === 0)
      throw new Error(`nothing was sent to ${targets[index]!.host}: there is nothing to compare with`)
    visits[index] = visit
  }
  return { visits, identifiedPerS, identifiedAtFirstPerS }

  function lasting(index: number) {
    const { reads } = devices[index]!
    return Object.fromEntries(Object.entries(previous[index]!).filter(([name]) => reads[name]!.everyMs > 0))
  }
}

async function each(count: number, job: (index: number) => Promise<void>) {
  let next = 0
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < count) await job(next++)
    }),
  )
}

/** A device on its usual ports is asked there, as a scan would. */
function ioOf({ host, ports = {}, username, password }: Target): Io {
  return {
    host,
    ports,
    credentials: username === undefined ? [] : [{ username, password: password ?? '' }],
    signal: new AbortController().signal,
    memory: new Map(),
    clock: systemClock,
  }
}

/** What the job sends, by connection: every socket of this process connects and writes through its prototype. */
async function noted(job: () => Promise<unknown>): Promise<Connection[]> {
  const made: Connection[] = []
  const current = new Map<Socket, Connection & { read: number }>()
  const { connect, write } = Socket.prototype
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
    // One socket may serve several connections, one after the other.
    current.delete(this)
    return connect.apply(this, args as Parameters<Socket['connect']>)
  } as Socket['connect']
  Socket.prototype.write = function (this: Socket, ...args: Parameters<Socket['write']>) {
    if (this.remoteAddress !== undefined || this.connecting) note(this, Buffer.from(args[0] as string))
    return write.apply(this, args)
  } as Socket['write']
  const note = (socket: Socket, bytes: Buffer) => {
    const known = current.get(socket)
    const connection = known ?? { host: '', port: 0, requests: [], read: -1 }
    const place = () => Object.assign(connection, { host: socket.remoteAddress, port: socket.remotePort })
    if (!known) {
      made.push(connection)
      current.set(socket, connection)
      if (socket.connecting) socket.once('connect', place)
      else place()
    }
    // What is sent before anything has come back belongs to the same request.
    if (socket.bytesRead === connection.read)
      connection.requests.push(connection.requests.pop() + bytes.toString('latin1'))
    else connection.requests.push(bytes.toString('latin1'))
    connection.read = socket.bytesRead
  }
  try {
    await job()
  } finally {
    Object.assign(Socket.prototype, { connect, write })
  }
  return made.map(({ host, port, requests }) => ({ host, port, requests }))
}
