import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { BlockList, isIPv4 } from 'node:net'
import { SdkError } from '#model'

const privateRanges = new BlockList()
for (const [net, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['127.0.0.0', 8],
] as const)
  privateRanges.addSubnet(net, prefix)

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** `host:port`, or the public list's `address@name:port`, of which the address counts. Throws CONFIG_INVALID. */
export function parseAddress(text: string): HostPort {
  const colon = text.lastIndexOf(':')
  const port = Number(text.slice(colon + 1))
  const host = text.slice(0, colon).split('@')[0] ?? ''
  if (colon < 1 || host === '' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new SdkError('CONFIG_INVALID', `${text} is not host:port`, { details: { path: 'network.bootstrap' } })
  }
  return { host, port }
}

/** Whether every one of them is in a private network, as the nodes of a LAN are. Names are looked up; one that cannot be is not. */
export async function areAllPrivate(addresses: readonly string[]): Promise<boolean> {
  const hosts = await Promise.all(addresses.map(async (text) => addressOf(parseAddress(text).host).catch(() => null)))
  return hosts.length > 0 && hosts.every((host) => host !== null && privateRanges.check(host))
}

async function addressOf(host: string): Promise<string> {
  return isIPv4(host) ? host : (await lookup(host, { family: 4 })).address
}

/** UDX binds addresses, not names. */
export function bindAddressOf(host: string | undefined): string {
  return host === undefined || host === 'localhost' ? (host ? '127.0.0.1' : '0.0.0.0') : host
}

/** The address of ours from which the first reachable of these is reached now; null when there is no way to any. Sends nothing. */
export async function sourceAddress(addresses: readonly string[], bound: string | undefined): Promise<string | null> {
  if (bound === '127.0.0.1' || bound === 'localhost') return '127.0.0.1'
  for (const text of addresses) {
    const { host, port } = parseAddress(text)
    const source = await addressOf(host)
      .then((address) => sourceTo(address, port))
      .catch(() => null)
    if (source !== null) return source
  }
  return null
}

function sourceTo(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.connect(port, host, () => {
      const { address } = socket.address()
      socket.close()
      resolve(address)
    })
  })
}

/**
 * Throws PORT_IN_USE, or UNAVAILABLE for an address that is not ours. Asked beforehand: a DHT node that fails to bind leaves a watcher behind
 * that keeps the process alive.
 */
export async function assertBindable(host: string, port: number): Promise<void> {
  const socket = createSocket('udp4')
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind({ address: host, port, exclusive: true }, resolve)
    })
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new SdkError('PORT_IN_USE', `UDP port ${port} is taken`, { cause })
    throw new SdkError('UNAVAILABLE', `cannot bind ${host}:${port}: ${message}`, { cause })
  } finally {
    socket.close()
  }
}

/** Whether this machine has the address now. */
export async function isOurs(host: string): Promise<boolean> {
  return assertBindable(host, 0).then(
    () => true,
    () => false,
  )
}
