import { SdkError, Type } from '#model'
import type { ServiceHealth } from '#rpc'
import type { Gateway } from '../gateway.js'
import { fromAll, nodesOf, servicesOf } from '../reach.js'
import { route } from '../route.js'
import { strict } from './shapes.js'

const ReasonSchema = Type.Object({ service: Type.String(), state: Type.String(), reason: Type.String() })

export const healthRoutes = [
  route({
    method: 'GET',
    path: '/healthz',
    group: 'health',
    scope: 'open',
    summary: 'The process is alive',
    reply: Type.Object({ status: Type.Literal('ok') }),
    handle: () => ({ status: 'ok' as const }),
  }),
  route({
    method: 'GET',
    path: '/readyz',
    group: 'health',
    scope: 'open',
    summary: 'The services of this node have started: 200, else 503. With a token also which one is not well, and why',
    reply: Type.Object({
      status: Type.Enum(['ready', 'degraded']),
      reasons: Type.Optional(Type.Array(ReasonSchema)),
    }),
    async handle(gateway, { identity }) {
      const services = await ownServices(gateway)
      const reasons = services.filter(unwell).map(({ name, state, reason, lastError }) => ({
        service: name,
        state,
        reason: reason ?? lastError ?? state,
      }))
      if (services.some(comingUp)) {
        const names = reasons.map(({ service, reason }) => `${service} (${reason})`).join(', ')
        throw new SdkError('UNAVAILABLE', identity ? `not ready: ${names}` : 'not ready yet')
      }
      const status = reasons.length === 0 ? ('ready' as const) : ('degraded' as const)
      return { status, ...(identity ? { reasons } : {}) }
    },
  }),
  route({
    method: 'GET',
    path: '/metrics',
    group: 'health',
    scope: 'read',
    summary: 'Prometheus text; `devices=1` adds a few figures of every device',
    query: Type.Object({ devices: Type.Optional(Type.Boolean()) }, strict),
    type: 'text/plain; version=0.0.4; charset=utf-8',
    async handle(gateway, { query, caller, answer }) {
      // Only who asks for metrics pays for the library that writes them.
      const { metricsText } = await import('../metrics.js')
      const services = await servicesOf(gateway.directory, caller).catch(() => [])
      answer.text(
        'text/plain; version=0.0.4; charset=utf-8',
        await metricsText(gateway, caller, services, query.devices === true),
      )
      return undefined
    },
  }),
]

/** Of the own site, in the gateway's own name: whether it is ready is nobody's secret, and why is told only to who may ask. */
async function ownServices({ directory, site }: Gateway): Promise<ServiceHealth[]> {
  const own = nodesOf(directory, { id: 'gateway', scope: 'read', sites: [site] })
  return (await fromAll(own, (node) => node.services({}))).flat()
}

const unwell = ({ state, ready }: ServiceHealth) => state !== 'running' || !ready

/** Still on its way to work. One that broke is no reason to take the page away that says so: it makes the node degraded. */
const comingUp = ({ state, ready }: ServiceHealth) =>
  state === 'starting' || state === 'stopping' || (state === 'running' && !ready)
