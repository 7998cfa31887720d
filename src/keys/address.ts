import b4a from 'b4a'
import { SdkError } from '#model'

/** A node of a DHT in an invite: an IPv4 address in 7 bytes, any other host as text. */
export interface Address {
  readonly address: string
  readonly bytes: number
}

export const maxAddresses = 4
const longestHost = 253
const pattern = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})$/
const ipv4Pattern = /^(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})$/

/** The first byte is the length of the host's text, or 0 for four bytes of IPv4; the port ends it. Throws BAD_REQUEST. */
export function writeAddress(address: string): Uint8Array {
  const [, host = '', portText] = pattern.exec(address) ?? []
  const port = Number(portText)
  if (host === '' || host.length > longestHost || port < 1 || port > 65535)
    throw new SdkError('BAD_REQUEST', `${JSON.stringify(address.slice(0, 80))} is no host:port`)
  const tail = b4a.from([port >> 8, port & 0xff])
  const parts = ipv4Pattern.test(host) ? host.split('.').map(Number) : []
  return parts.length === 4 && parts.every((part) => part < 256)
    ? b4a.concat([b4a.from([0, ...parts]), tail])
    : b4a.concat([b4a.from([host.length]), b4a.from(host), tail])
}

/** The address at the front of the bytes and how many it takes; undefined if there is none. */
export function readAddress(bytes: Uint8Array): Address | undefined {
  const length = bytes[0]
  if (length === undefined) return undefined
  const end = 1 + (length === 0 ? 4 : length)
  if (bytes.byteLength < end + 2) return undefined
  const host = length === 0 ? [...bytes.subarray(1, 5)].join('.') : b4a.toString(bytes.subarray(1, end))
  const address = `${host}:${bytes[end]! * 256 + bytes[end + 1]!}`
  // Read is only what could have been written.
  try {
    return b4a.equals(writeAddress(address), bytes.subarray(0, end + 2)) ? { address, bytes: end + 2 } : undefined
  } catch {
    return undefined
  }
}
