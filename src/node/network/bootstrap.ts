import HyperDHT from 'hyperdht'
import type { Clock } from '#model'
import { assertBindable, bindAddressOf, isOurs, parseAddress } from './addresses.js'

export interface DhtNodes {
  /** `host:port` of each, for the others' `network.bootstrap`. */
  readonly addresses: readonly string[]
  close(): Promise<void>
}

export interface DhtNodesOptions {
  /** The address by which the site's other machines reach this one; 127.0.0.1 for this machine alone. */
  readonly host: string
  /** The first UDP port; the nodes take this one and those after it. */
  readonly port: number
  /** How many nodes; default 3: two are the least with which peers find each other, three survive the loss of one. */
  readonly count?: number
  /** The nodes of other machines. */
  readonly others?: readonly string[]
  readonly clock: Clock
}

/** While a node knows no other it looks for them this often. */
const lonelyMs = 2_000

/**
 * The site's own DHT: nodes at addresses that stay, so that the site's configuration can name them. They know who is where, hold nothing
 * that needs a secret, and forget all when they end. Throws PORT_IN_USE.
 */
export async function bootstrapNodes({
  host,
  port,
  count = 3,
  others = [],
  clock,
}: DhtNodesOptions): Promise<DhtNodes> {
  const ports = Array.from({ length: count }, (_, index) => port + index)
  return startNodes(host, ports, others, clock)
}

export async function startNodes(
  host: string,
  ports: readonly number[],
  others: readonly string[],
  clock: Clock,
): Promise<DhtNodes> {
  const addresses = ports.map((port) => `${host}:${port}`)
  const nodes: HyperDHT[] = []
  // Its own address if it is one of this machine: it may have several, and answers have to come from this one.
  const bind = (await isOurs(host)) ? host : bindAddressOf(undefined)
  const elsewhere = others.map(parseAddress)
  let closed = false
  let stop = () => {}
  const close = async () => {
    closed = true
    stop()
    await Promise.all(nodes.map((node) => node.destroy({ force: true }).catch(() => {})))
  }
  try {
    for (const [index, port] of ports.entries()) {
      const siblings = ports.slice(0, index).map((sibling) => ({ host, port: sibling }))
      await assertBindable(bind, port)
      const node = HyperDHT.bootstrapper(port, host, { bootstrap: [...siblings, ...elsewhere], host: bind })
      node.on('error', () => {})
      nodes.push(node)
      await node.bind()
    }
    // Not for the other machines: they may come later.
    await Promise.all(elsewhere.length === 0 ? nodes.map((node) => node.fullyBootstrapped()) : [])
  } catch (error) {
    await close()
    throw error
  }
  const lookAround = () => {
    if (closed) return
    for (const node of nodes) {
      if (node.nodes.length > 0) continue
      for (const other of elsewhere) node.addNode(other)
      node.refresh()
    }
    stop = clock.after(lonelyMs, lookAround)
  }
  lookAround()
  return { addresses, close }
}
