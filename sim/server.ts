import { randomBytes } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { SdkError } from '#model'
import type { Machine } from './machine.js'

/** One port of a miner and what it does with a connection. */
export interface Door {
  /** Protocol port name, as device modules know it: `rpc`, `v3`, `http` ... */
  readonly name: string
  readonly standardPort: number
  readonly open: (socket: Socket) => void
  /** The service behind this port restarts and takes nobody. */
  readonly isAway?: () => boolean
}

/** A simulated device: a machine and the ports that it answers on. */
export interface Simulator {
  readonly machine: Machine
  readonly doors: readonly Door[]
}

const backlog = 511
const garbageBytes = 400
const endlessChunk = Buffer.alloc(16_384, '{"STATUS":[')

/** The listeners of one miner. With the fault `dead` they are closed and come back on the same ports when it heals. */
export class Listeners {
  readonly #simulator: Simulator
  readonly #host: string
  readonly #ports: Readonly<Record<string, number>>
  readonly #servers = new Map<string, Server>()
  readonly #sockets = new Set<Socket>()
  readonly #bound: Record<string, number> = {}

  /** `ports` by door name; 0: a free one; absent: the standard port. */
  constructor(simulator: Simulator, host: string, ports: Readonly<Record<string, number>>) {
    this.#simulator = simulator
    this.#host = host
    this.#ports = ports
    simulator.machine.onReboot = () => this.drop()
  }

  get ports(): Readonly<Record<string, number>> {
    return this.#bound
  }

  /** Throws PORT_IN_USE, FORBIDDEN (a port below 1024) or UNAVAILABLE (no such address, no more file descriptors). */
  async listen() {
    try {
      for (const door of this.#simulator.doors) {
        if (this.#servers.has(door.name)) continue
        const port = this.#bound[door.name] ?? this.#ports[door.name] ?? door.standardPort
        const server = await bind(this.#host, port, (socket) => this.#accept(door, socket))
        this.#servers.set(door.name, server)
        this.#bound[door.name] = (server.address() as { port: number }).port
      }
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async close() {
    const servers = [...this.#servers.values()]
    this.#servers.clear()
    const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
    for (const socket of this.#sockets) socket.resetAndDestroy()
    this.#sockets.clear()
    await Promise.all(closed)
  }

  /** The controller reboots: what is already on its way out may still go, everything else is cut. */
  drop() {
    for (const socket of this.#sockets) {
      if (socket.writableEnded) socket.destroySoon()
      else socket.resetAndDestroy()
    }
  }

  #accept(door: Door, socket: Socket) {
    const { machine } = this.#simulator
    // A client that goes away in the middle is no event here.
    socket.on('error', () => {})
    if (machine.physics.isAway() || door.isAway?.()) {
      socket.resetAndDestroy()
      return
    }
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('end', () => {
      // Ending twice would cost an error object for nothing.
      if (!socket.writableEnded && !late.has(socket)) socket.end()
    })
    if (machine.has('silent')) socket.resume()
    else door.open(socket)
  }
}

function bind(host: string, port: number, accept: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    // Half open: a client may close its side after the request and still wait for the answer.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, accept)
    server.on('error', (error: NodeJS.ErrnoException) => reject(explain(error, host, port)))
    server.listen({ host, port, backlog, exclusive: true }, () => resolve(server))
  })
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): SdkError {
  const where = `${host}:${port}`
  const known: Record<string, () => SdkError> = {
    EACCES: () =>
      new SdkError(
        'FORBIDDEN',
        `cannot listen on ${where}: ports below 1024 need root or CAP_NET_BIND_SERVICE here; use one address with free ports, or another web port`,
      ),
    EADDRINUSE: () => new SdkError('PORT_IN_USE', `cannot listen on ${where}: it is taken`),
    EADDRNOTAVAIL: () =>
      new SdkError(
        'UNAVAILABLE',
        `cannot listen on ${where}: this machine has no such address (Linux has all of 127.0.0.0/8, others only 127.0.0.1)`,
      ),
    EMFILE: () =>
      new SdkError('UNAVAILABLE', `cannot listen on ${where}: no more file descriptors; raise the limit (ulimit -n)`),
  }
  return known[error.code ?? '']?.() ?? new SdkError('UNAVAILABLE', `cannot listen on ${where}: ${error.message}`)
}

/** Connections whose answer is still to come, though their client may have closed its side. */
const late = new WeakSet<Socket>()

/** Sends an answer as the miner is: late, half, garbled, without end; or as it should be. `close` ends the connection after it. */
export function deliver(machine: Machine, socket: Socket, answer: string | Buffer, close: boolean) {
  const slow = machine.fault('slow')
  if (!slow) return send(machine, socket, answer, close)
  late.add(socket)
  machine.clock.after(slow.ms, () => send(machine, socket, answer, close || socket.readableEnded))
}

function send(machine: Machine, socket: Socket, answer: string | Buffer, close: boolean) {
  if (socket.destroyed) return
  const half = machine.fault('half')
  if (machine.has('endless')) return flood(socket)
  if (machine.has('garbage')) return void socket.end(randomBytes(garbageBytes))
  if (half) {
    const bytes = Buffer.from(answer)
    const part = bytes.subarray(0, Math.ceil(bytes.length / 2))
    if (half.ending === 'close') socket.end(part)
    else socket.write(part)
    return
  }
  if (close) socket.end(answer)
  else socket.write(answer)
}

/** Writes as fast as the client reads, until it has had enough. */
function flood(socket: Socket) {
  const more = () => {
    while (!socket.destroyed && socket.write(endlessChunk));
  }
  socket.on('drain', more)
  more()
}

/** Whether what is sent now reaches the client as it is. */
export function isWireSound(machine: Machine): boolean {
  return !['slow', 'half', 'garbage', 'endless'].some((kind) => machine.has(kind as 'slow'))
}
