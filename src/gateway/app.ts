import type { Server } from 'node:http'
import helmet from '@fastify/helmet'
import fastify, { type FastifyInstance } from 'fastify'
import { answerCutRequest, answerError } from './answer-error.js'
import { ownCompilers } from './compilers.js'
import { mountDocs } from './docs-mount.js'
import type { Gateway } from './gateway.js'
import { guardRequests } from './guard.js'
import { notFound, servePage } from './page.js'
import type { AnyRoute } from './route.js'
import { addRoutes } from './serve-routes.js'

const limits = {
  /** 10,000 device ids and their command. */
  bodyBytes: 2 * 1024 * 1024,
  headersMs: 10_000,
  /** A whole request may take so long to arrive. */
  requestMs: 30_000,
  keepAliveMs: 30_000,
  connections: 2000,
  /** How long requests under way may take to end at shutdown. */
  drainMs: 2000,
}

/** Nothing inline, nothing from elsewhere. Images as data: for the icons of the API viewer. */
const contentSecurity = {
  'default-src': ["'self'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
}

export interface AppOptions {
  readonly routes: readonly AnyRoute[]
  /** Bound address and further host names that are ours. */
  readonly host: string
  readonly allowedHosts: readonly string[]
  /** The folder of the built page; default: found from here. */
  readonly page?: string
}

/** The HTTP application, not listening yet. */
export async function buildApp(gateway: Gateway, options: AppOptions): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: false },
    schemaController: ownCompilers,
    clientErrorHandler: answerCutRequest,
    frameworkErrors: (error, request, reply) => answerError(gateway.log, error, request, reply),
  })
  const server: Server = app.server
  server.headersTimeout = limits.headersMs
  server.maxConnections = limits.connections
  app.removeContentTypeParser('text/plain')

  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: contentSecurity },
    // Plain HTTP on loopback or a LAN; whoever puts TLS before it sets this there.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
    crossOriginEmbedderPolicy: false,
  })
  app.setErrorHandler((error, request, reply) => answerError(gateway.log, error, request, reply))
  app.setNotFoundHandler((request, reply) => answerError(gateway.log, notFound(request), request, reply))
  guardRequests(app, gateway, options)
  addRoutes(app, gateway, options.routes)
  mountDocs(app, options.routes)
  await servePage(app, options.page)
  await app.ready()
  return app
}

/** Ends the streams, lets requests under way end, cuts what is left. */
export async function closeApp(
  app: FastifyInstance,
  { stream, clock }: Pick<Gateway, 'stream' | 'clock'>,
): Promise<void> {
  stream.close()
  const forget = clock.after(limits.drainMs, () => app.server.closeAllConnections())
  await app.close().finally(forget)
}
