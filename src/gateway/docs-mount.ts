import type { FastifyInstance } from 'fastify'
import { version } from '#node'
import type { AnyRoute } from './route.js'

/**
 * `/api/openapi.json` and `/api/docs`, open like the source code they describe. Both come from an application of their own, made at
 * the first request for it (docs.ts).
 */
export function mountDocs(app: FastifyInstance, routes: readonly AnyRoute[]): void {
  let made: Promise<FastifyInstance> | undefined
  const docs = () => {
    made ??= make(routes).catch((error) => {
      made = undefined
      throw error
    })
    return made
  }
  app.addHook('onClose', async () => {
    await (await made?.catch(() => undefined))?.close()
  })
  app.get('/api/openapi.json', async () => (await docs()).swagger())
  app.get('/api/docs', (_, reply) => reply.redirect('/api/docs/'))
  app.get('/api/docs/*', async (request, reply) => {
    const viewer = await docs()
    reply.hijack()
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value)
    viewer.routing(request.raw, reply.raw)
  })
}

async function make(routes: readonly AnyRoute[]): Promise<FastifyInstance> {
  const { buildDocs } = await import('./docs.js')
  return buildDocs(routes, version)
}
