import { SdkError } from '#model'

/**
 * So many addresses from the first on: `127.1.0.1` is the first one itself, `127.1.0.0/22` stands for its hosts (network and broadcast
 * address left out). Throws BAD_REQUEST if it is no IPv4 address or the network is too small.
 */
export function addressesFrom(base: string, count: number): string[] {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(base)
  const [, ...parts] = match ?? []
  const octets = parts.slice(0, 4).map(Number)
  const bits = parts[4] === undefined ? undefined : Number(parts[4])
  if (!match || octets.some((octet) => octet > 255) || (bits !== undefined && (bits < 8 || bits > 30)))
    throw new SdkError('BAD_REQUEST', `"${base}" is no IPv4 address or network (127.1.0.1, 127.1.0.0/22)`)
  const given = octets.reduce((number, octet) => number * 256 + octet, 0)
  const size = bits === undefined ? undefined : 2 ** (32 - bits)
  const first = size === undefined ? given : given - (given % size) + 1
  const room = size === undefined ? 2 ** 32 - first : size - 2
  if (count > room) throw new SdkError('BAD_REQUEST', `${base} has room for ${room} miners, not for ${count}`)
  return Array.from({ length: count }, (_, index) => textOf(first + index))
}

function textOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
}
