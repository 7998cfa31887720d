import type { DeviceRecord, Event } from '#model'
import type { Series, Totals } from '#replication'
import type { CommandJob, CommandRequest, Scan, ScanRequest, ServiceHealth } from '#rpc'
import { eventReader } from './sse.js'

export type Scope = 'read' | 'control' | 'admin'

export interface Session {
  id: string
  scope: Scope
  sites: string[] | null
  expiresAt: number | null
}

export interface NodeInfo {
  site: string
  version: string
  demo: boolean
  mode: string
  startedAt: number
}

export interface Fleet {
  site: string
  at: number
  totals: Totals
}

/** The fields of a record that lists need; boards, fans, pools and settings are read for one device at a time. */
export const rowFields = [
  'id',
  'kind',
  'make',
  'model',
  'variant',
  'firmware',
  'site',
  'worker',
  'address',
  'serial',
  'mac',
  'hostname',
  'name',
  'tags',
  'location',
  'simulated',
  'status',
  'statusReason',
  'health',
  'at',
  'askedAt',
  'metrics',
  'errors',
  'capabilities',
] as const satisfies readonly (keyof DeviceRecord)[]
export type DeviceRow = Pick<DeviceRecord, (typeof rowFields)[number]>

export interface RowPage {
  data: DeviceRow[]
  nextCursor: string | null
  total: number
}

export interface HistoryRequest {
  metrics: readonly string[]
  from: string
  step: string
}

/** What the stream tells. `reset`: too much was missed, read everything again. */
export interface StreamHandlers {
  open(): void
  devices(change: { records: DeviceRow[]; removed: string[] }): void
  fleet(fleet: Fleet): void
  /** Without their results. */
  jobs(jobs: CommandJob[]): void
  reset(): void
}

/** All that the page knows of the world. In the browser it is HTTP; the desktop passes its own. */
export interface Client {
  /** null: not signed in. */
  session(): Promise<Session | null>
  signIn(credential: { code: string } | { token: string }): Promise<Session>
  signOut(): Promise<void>
  node(): Promise<NodeInfo>
  fleet(): Promise<Fleet>
  devices(cursor: string | null): Promise<RowPage>
  device(id: string): Promise<DeviceRecord>
  deviceHistory(id: string, request: HistoryRequest): Promise<Series>
  siteHistory(request: HistoryRequest): Promise<Series | null>
  raw(id: string): Promise<{ at: number; replies: Record<string, unknown> }>
  events(id: string): Promise<Event[]>
  services(): Promise<ServiceHealth[]>
  commands(): Promise<CommandJob[]>
  command(id: string): Promise<CommandJob>
  submit(request: CommandRequest, idempotencyKey: string): Promise<CommandJob>
  cancel(id: string): Promise<CommandJob>
  startScan(request: ScanRequest): Promise<Scan>
  scan(id: string): Promise<Scan>
  cancelScan(id: string): Promise<Scan>
  adopt(id: string, hosts: readonly string[]): Promise<Scan>
  /** Runs until the stream ends (resolves), breaks (rejects) or is aborted. */
  stream(handlers: StreamHandlers, signal: AbortSignal): Promise<void>
}

/** A refusal or a failure, with the API's code; `UNREACHABLE` if there was no answer at all. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: string
  readonly status: number

  constructor(code: string, status: number, message: string) {
    super(message)
    this.code = code
    this.status = status
  }
}

const requestMs = 30_000
/** The gateway sends a heartbeat every 15 s; a stream that is silent for longer than two of them is dead. */
const silenceMs = 35_000
const pageLimit = 1000
const fields = rowFields.join(',')

export function httpClient(base = '/api/v1'): Client {
  const call = async <T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> => {
    const init: RequestInit = {
      method,
      headers: { accept: 'application/json', ...headers },
      signal: AbortSignal.timeout(requestMs),
      credentials: 'same-origin',
    }
    if (body !== undefined) {
      init.body = JSON.stringify(body)
      init.headers = { ...init.headers, 'content-type': 'application/json' }
    }
    const response = await fetch(base + path, init).catch((cause: unknown) => {
      throw unreachable(cause)
    })
    if (!response.ok) throw await refusal(response)
    return (response.status === 204 ? undefined : await response.json()) as T
  }
  const get = <T>(path: string) => call<T>('GET', path)
  const list = async <T>(path: string) => (await get<{ data: T[] }>(path)).data
  const at = (id: string) => encodeURIComponent(id)
  const history = ({ metrics, from, step }: HistoryRequest) =>
    `metrics=${metrics.join(',')}&from=${encodeURIComponent(from)}&step=${step}`

  return {
    session: () => get<Session>('/session').catch(signedOut),
    signIn: (credential) => call('POST', '/session', credential),
    signOut: () => call('DELETE', '/session'),
    node: () => get('/node'),
    fleet: () => get('/fleet'),
    devices: (cursor) =>
      get(`/devices?fields=${fields}&limit=${pageLimit}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`),
    device: (id) => get(`/devices/${at(id)}`),
    deviceHistory: (id, request) => get(`/devices/${at(id)}/history?${history(request)}`),
    async siteHistory(request) {
      const { data, ...axis } = await get<Omit<Series, 'at' | 'series'> & { data: Pick<Series, 'at' | 'series'>[] }>(
        `/history?${history(request)}`,
      )
      return data[0] ? { ...axis, at: data[0].at, series: data[0].series } : null
    },
    raw: (id) => get(`/devices/${at(id)}/raw`),
    events: (id) => list(`/devices/${at(id)}/events`),
    services: () => list('/services'),
    commands: () => list('/commands'),
    command: (id) => get(`/commands/${at(id)}`),
    submit: (request, idempotencyKey) => call('POST', '/commands', request, { 'idempotency-key': idempotencyKey }),
    cancel: (id) => call('POST', `/commands/${at(id)}/cancel`),
    startScan: (request) => call('POST', '/scans', request),
    scan: (id) => get(`/scans/${at(id)}`),
    cancelScan: (id) => call('POST', `/scans/${at(id)}/cancel`),
    adopt: (id, hosts) => call('POST', `/scans/${at(id)}/adopt`, { hosts }),
    stream: (handlers, signal) =>
      listen(`${base}/stream?events=devices,fleet,commands&fields=${fields}`, handlers, signal),
  }
}

/** Read with fetch, not EventSource: heartbeats are seen, so that a link that died without a word is found. */
async function listen(url: string, handlers: StreamHandlers, signal: AbortSignal): Promise<void> {
  const silence = new AbortController()
  const patience = () => setTimeout(() => silence.abort(), silenceMs)
  let timer = patience()
  try {
    const response = await fetch(url, {
      headers: { accept: 'text/event-stream' },
      signal: AbortSignal.any([signal, silence.signal]),
      credentials: 'same-origin',
    })
    if (!response.ok || !response.body) throw await refusal(response)
    handlers.open()
    const read = eventReader(({ event, data }) => {
      if (event === 'devices') handlers.devices(JSON.parse(data))
      else if (event === 'fleet') handlers.fleet(JSON.parse(data))
      else if (event === 'commands') handlers.jobs(JSON.parse(data).jobs)
      else if (event === 'reset') handlers.reset()
    })
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(timer)
      timer = patience()
      read(part.value)
    }
  } catch (error) {
    if (signal.aborted) return
    throw error instanceof ClientError ? error : unreachable(error)
  } finally {
    clearTimeout(timer)
    silence.abort()
  }
}

async function refusal(response: Response): Promise<ClientError> {
  const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string; title?: string }
  return new ClientError(
    problem.code ?? `HTTP_${response.status}`,
    response.status,
    problem.detail ?? problem.title ?? `The gateway answered ${response.status}`,
  )
}

function unreachable(cause: unknown): ClientError {
  const late = cause instanceof DOMException && cause.name === 'TimeoutError'
  return new ClientError(
    late ? 'TIMEOUT' : 'UNREACHABLE',
    0,
    late ? 'The gateway did not answer in time' : 'The gateway cannot be reached',
  )
}

function signedOut(error: unknown): null {
  if (error instanceof ClientError && error.status === 401) return null
  throw error
}
