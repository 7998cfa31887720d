import { createServer, type Server, type Socket } from 'node:net'
import { SdkError } from '#model'
import type { PlantFaults } from './faults.js'

/** One port of simulated plant; with the fault `dead` it is closed, and comes back on the same port. */
export class Listener {
  readonly #faults: PlantFaults
  readonly #accept: (socket: Socket) => void
  readonly #sockets = new Set<Socket>()
  readonly host: string
  #server: Server | undefined
  port: number

  constructor(host: string, port: number, faults: PlantFaults, accept: (socket: Socket) => void) {
    this.host = host
    this.port = port
    this.#faults = faults
    this.#accept = accept
    faults.onChange = () => (faults.has('dead') ? this.close() : this.listen())
  }

  get connections(): number {
    return this.#sockets.size
  }

  async listen(): Promise<this> {
    if (this.#server) return this
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
      this.#sockets.add(socket)
      if (this.#faults.has('silent')) socket.resume()
      else this.#accept(socket)
    })
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(new SdkError('PORT_IN_USE', error.message)))
      server.listen({ host: this.host, port: this.port, exclusive: true }, resolve)
    })
    this.port = (server.address() as { port: number }).port
    return this
  }

  /** Cuts every connection, as a gateway does that restarts. */
  drop(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    this.drop()
    if (server) await new Promise((resolve) => server.close(resolve))
  }
}
