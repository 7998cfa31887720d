import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrorCode, SdkError } from '#model'

/** Where a running site tells the CLI of the same machine how to reach it; written by `start`, mode 0600, without secrets. */
export const siteFile = 'site.json'

export interface SiteFile {
  url: string
  pid: number
  site: string
  demo: boolean
}

export interface SiteClient {
  readonly url: string
  get<T>(path: string, query?: Record<string, string | number | undefined>): Promise<T>
  send<T>(
    method: 'POST' | 'PATCH' | 'DELETE' | 'PUT',
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<T>
}

export interface SiteOptions {
  /** Address of the gateway; default: what the site of this storage folder wrote down. */
  url?: string | undefined
  /** Default: the admin token of the storage folder. */
  token?: string | undefined
  storage: string
  signal: AbortSignal
}

const requestMs = 30_000

/**
 * A client of a running site over its HTTP interface. Throws UNAVAILABLE if there is none, UNAUTHENTICATED without a token, and
 * otherwise the error the site answered.
 */
export async function openSite({ url, token, storage, signal }: SiteOptions): Promise<SiteClient> {
  const base = url ?? (await readSiteFile(storage)).url
  const bearer = token ?? (await readToken(storage))
  const request = async <T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> => {
    const timeout = AbortSignal.timeout(requestMs)
    let response: Response
    try {
      response = await fetch(new URL(path, base), {
        method,
        signal: AbortSignal.any([signal, timeout]),
        headers: {
          authorization: `Bearer ${bearer}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    } catch (cause) {
      if (signal.aborted) throw new SdkError('CANCELLED')
      if (timeout.aborted) throw new SdkError('TIMEOUT', `${base} did not answer within ${requestMs / 1000} s`)
      throw new SdkError('UNAVAILABLE', `no site answers at ${base}; is it running? (miningsdk start)`, { cause })
    }
    const text = await response.text()
    const answer = parse(text)
    if (response.ok) return answer as T
    throw problem(response.status, answer)
  }
  return {
    url: base,
    get: (path, query = {}) => {
      const search = new URLSearchParams(
        Object.entries(query).flatMap(([key, value]) =>
          value === undefined ? [] : [[key, String(value)] as [string, string]],
        ),
      )
      return request('GET', search.size > 0 ? `${path}?${search}` : path)
    },
    send: request,
  }
}

export async function readSiteFile(storage: string): Promise<SiteFile> {
  try {
    return JSON.parse(await readFile(join(storage, siteFile), 'utf8')) as SiteFile
  } catch (cause) {
    throw new SdkError(
      'UNAVAILABLE',
      `no running site is known in ${storage}; start one (miningsdk start) or name it with --url`,
      { cause },
    )
  }
}

async function readToken(storage: string): Promise<string> {
  try {
    return (await readFile(join(storage, 'admin.token'), 'utf8')).trim()
  } catch (cause) {
    throw new SdkError(
      'UNAUTHENTICATED',
      `no token: ${join(storage, 'admin.token')} cannot be read and MININGSDK_TOKEN is not set`,
      { cause },
    )
  }
}

function parse(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text)
  } catch {
    return text
  }
}

function problem(status: number, answer: unknown): SdkError {
  const { code, detail, title, problems } = (answer ?? {}) as {
    code?: unknown
    detail?: string
    title?: string
    problems?: unknown
  }
  const known = isErrorCode(code)
    ? code
    : status === 401
      ? 'UNAUTHENTICATED'
      : status === 403
        ? 'FORBIDDEN'
        : 'INTERNAL'
  return new SdkError(
    known,
    detail ?? title ?? `HTTP ${status}`,
    problems === undefined ? {} : { details: { problems } },
  )
}
