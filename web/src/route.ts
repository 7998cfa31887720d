/** Where in the page: `#/devices?status=offline`, `#/devices/<id>`, `#/commands/<id>` ... Everything a colleague needs to see the same is in the address. */
export type Page = 'overview' | 'devices' | 'device' | 'commands' | 'command' | 'services'

export interface Route {
  page: Page
  id: string | null
  query: URLSearchParams
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?')
  const [head = '', ...rest] = path.split('/')
  const id = rest.length > 0 && rest[0] ? safeDecode(rest.join('/')) : null
  const parsed = new URLSearchParams(query)
  if (head === 'devices') return { page: id ? 'device' : 'devices', id, query: parsed }
  if (head === 'commands') return { page: id ? 'command' : 'commands', id, query: parsed }
  if (head === 'services') return { page: 'services', id: null, query: parsed }
  return { page: 'overview', id: null, query: parsed }
}

export function hrefOf(
  page: 'overview' | 'devices' | 'commands' | 'services',
  id?: string | null,
  query?: URLSearchParams,
): string {
  const path = page === 'overview' ? '#/' : `#/${page}${id ? `/${encodeURIComponent(id)}` : ''}`
  const search = query?.toString()
  return search ? `${path}?${search}` : path
}

/** The one-time code of a sign-in link `/#code=...`, or null. */
export function signInCode(hash: string): string | null {
  return /^#code=/.test(hash) ? new URLSearchParams(hash.slice(1)).get('code') : null
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
