import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Log, redact } from '#model'
import type { Audit } from './audit.js'
import type { Gateway } from './gateway.js'
import { nobody } from './guard.js'
import { type AnyRoute, type Call, urlOf } from './route.js'

/** Puts the tables on the application: each row checked by its schemas, each write in the audit before it is answered. */
export function addRoutes(app: FastifyInstance, gateway: Gateway, routes: readonly AnyRoute[]): void {
  for (const row of routes) {
    app.route({
      method: row.method,
      url: urlOf(row.path),
      // Asking for the head alone would open a stream.
      exposeHeadRoute: row.method === 'GET' && row.type !== 'text/event-stream',
      config: { row },
      schema: {
        ...(row.params ? { params: row.params } : {}),
        ...(row.query ? { querystring: row.query } : {}),
        ...(row.body ? { body: row.body } : {}),
      },
      handler: (request, reply) => answer(gateway, row, request, reply),
    })
  }
  app.addHook('onSend', async (request, reply) => {
    const row = request.routeOptions.config.row
    if (row && row.method !== 'GET') await record(gateway.audit, row, request, reply.statusCode)
  })
}

async function answer(gateway: Gateway, row: AnyRoute, request: FastifyRequest, reply: FastifyReply) {
  request.state!.checked = true
  reply.header('cache-control', 'no-store')
  reply.status(row.status ?? (row.reply || row.type ? 200 : 204))
  const call = callOf(request, reply, gateway.log)
  const value = await row.handle(gateway, call)
  request.state!.value = value
  if (reply.sent) return reply
  return reply.send(value)
}

// biome-ignore lint/suspicious/noExplicitAny: checked by the row's schemas before it gets here
function callOf(request: FastifyRequest, reply: FastifyReply, log: Log): Call<any, any, any> {
  const { identity } = request.state!
  let away: AbortController | undefined
  return {
    params: request.params,
    query: request.query,
    body: request.body,
    caller: identity?.caller ?? nobody,
    identity,
    address: request.ip,
    header(name) {
      const value = request.headers[name]
      return Array.isArray(value) ? value[0] : value
    },
    get signal() {
      if (!away) {
        const controller = new AbortController()
        away = controller
        reply.raw.once('close', () => controller.abort())
      }
      return away.signal
    },
    answer: {
      status: (code) => void reply.status(code),
      header: (name, value) => void reply.header(name, value),
      text: (type, body) => void reply.type(type).send(body),
      stream() {
        reply.hijack()
        const { raw } = reply
        raw.on('error', (error) => log.debug({ err: error }, 'a stream broke'))
        raw.writeHead(200, {
          ...(reply.getHeaders() as Record<string, string>),
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        })
        return raw
      },
    },
  }
}

const maxTargets = 100
const maxParamsBytes = 4096

/** One line of the audit; what was never let in and what came too often leaves none, so that nobody can fill the disk from outside. */
async function record(audit: Audit, row: AnyRoute, request: FastifyRequest, status: number): Promise<void> {
  const { identity, code, value, checked } = request.state!
  if (code === 'RATE_LIMITED' || (row.scope !== 'open' && !identity)) return
  const { params, body } = request as { params: { id?: string } | undefined; body: unknown }
  const rule = row.audit ?? {}
  const reply = code === undefined ? value : undefined
  // A body that was refused has any shape; only one that passed is asked for its targets.
  const known = checked ? (rule.targets?.({ params, body, reply }) ?? []) : []
  const targets = known.length > 0 || !params?.id ? known : [params.id]
  const result = reply === undefined ? undefined : rule.result?.(reply)
  const asked = rule.params === false ? undefined : brief(body)
  await audit.append({
    by: identity?.caller.id ?? nobody.id,
    address: request.ip,
    method: row.method,
    path: row.path,
    action: row.summary,
    targets: targets.slice(0, maxTargets),
    targetCount: targets.length,
    ...(asked === undefined ? {} : { params: asked }),
    status,
    ...(code === undefined ? {} : { code }),
    ...(result === undefined ? {} : { result }),
  })
}

/** What was asked for, without secrets; of much, only what fits on a line. */
function brief(body: unknown): unknown {
  if (body === null || body === undefined) return undefined
  const clean = redact(body)
  if (JSON.stringify(clean).length <= maxParamsBytes) return clean
  if (typeof clean !== 'object' || clean === null || Array.isArray(clean)) return '[too long]'
  return Object.fromEntries(
    Object.entries(clean)
      .slice(0, 20)
      .map(([key, value]) => [key.slice(0, 64), JSON.stringify(value).length <= 200 ? value : '[too long]']),
  )
}
