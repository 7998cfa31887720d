import { isIP } from 'node:net'
import { SdkError } from '#model'

export interface RequestOrigin {
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
}

const loopback = ['localhost', '127.0.0.1', '[::1]']

/**
 * Which Host headers are ours. A page of a stranger can make its own name resolve to this machine (DNS rebinding), but it cannot
 * make the browser send another name than its own; an address as the host is never such a name.
 */
export function hostCheck(bound: string, allowed: readonly string[]): (host: string | undefined) => void {
  const names = new Set([...loopback, bracketed(bound), ...allowed].map((name) => name.toLowerCase()))
  const wildcard = bound === '0.0.0.0' || bound === '::'
  return (host) => {
    const name = hostName(host ?? '')
    if (names.has(name) || (wildcard && isIP(name.replace(/^\[|\]$/g, '')) !== 0)) return
    throw new SdkError('FORBIDDEN', 'this host name is not one of this gateway; add it to its `allowedHosts`')
  }
}

/** The name of a Host header without its port, lower case; '' if it is not one. */
export function hostName(host: string): string {
  return /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase() ?? ''
}

function bracketed(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address
}

/**
 * A write with the cookie must come from our own page: browsers say so with Sec-Fetch-Site or Origin, and a page of a stranger can
 * forge neither. Throws FORBIDDEN for anything else.
 */
export function sameOrigin({ host, origin, fetchSite }: RequestOrigin): void {
  const own =
    origin !== undefined && host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase()
  const said = fetchSite === undefined || fetchSite === 'same-origin'
  if (said && (own || (origin === undefined && fetchSite !== undefined))) return
  throw new SdkError('FORBIDDEN', 'a write with the session cookie has to come from the page of this gateway')
}
