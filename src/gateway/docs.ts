import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fastify, { type FastifyInstance } from 'fastify'
import type { TSchema } from '#model'
import { ownCompilers } from './compilers.js'
import { ProblemSchema, problemType } from './problem.js'
import { type AnyRoute, urlOf } from './route.js'

/**
 * The API description and its viewer: a second application of the same tables, made when somebody first asks for it, so that a site
 * nobody looks up pays no memory for it. Its routes are never called; the viewer's files are.
 */
export async function buildDocs(routes: readonly AnyRoute[], version: string): Promise<FastifyInstance> {
  const app = fastify({ schemaController: ownCompilers, exposeHeadRoutes: false, logger: false })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'MiningSDK',
        version,
        description:
          'Devices, commands, history and services of a fleet. Units are in the names; null or absent is unknown, 0 is measured zero. Errors are problem+json with a stable `code`.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: '`msdk_<id>_<secret>`' },
          session: { type: 'apiKey', in: 'cookie', name: 'msdk_session' },
        },
      },
    },
  })
  await app.register(swaggerUi, {
    routePrefix: '/api/docs',
    uiConfig: { deepLinking: true, defaultModelsExpandDepth: -1, validatorUrl: null },
    theme: { title: 'MiningSDK API' },
  })
  app.register(async (scope) => {
    for (const row of routes)
      scope.route({ method: row.method, url: urlOf(row.path), schema: describe(row), handler: async () => null })
  })
  await app.ready()
  return app
}

function describe(row: AnyRoute) {
  const status = row.status ?? (row.reply || row.type ? 200 : 204)
  return {
    summary: row.summary,
    description: row.scope === 'open' ? 'Needs no token.' : `Needs the scope \`${row.scope}\`.`,
    operationId: operationId(row),
    tags: [row.group],
    security: row.scope === 'open' ? [] : [{ token: [] }, { session: [] }],
    ...(row.params ? { params: plain(row.params) } : {}),
    ...(row.query ? { querystring: plain(row.query) } : {}),
    ...(row.body ? { body: plain(row.body) } : {}),
    response: {
      [status]: success(row),
      default: {
        description: 'What went wrong',
        content: { [problemType.split(';')[0]!]: { schema: plain(ProblemSchema) } },
      },
    },
  }
}

function success(row: AnyRoute) {
  if (row.type)
    return { description: row.summary, content: { [row.type.split(';')[0]!]: { schema: { type: 'string' } } } }
  return row.reply ? { description: row.summary, ...plain(row.reply) } : { description: 'Done', type: 'null' }
}

/** `GET /api/v1/devices/{id}/raw` is `getDevicesByIdRaw`. */
function operationId({ method, path }: AnyRoute): string {
  const words = path.replace('/api/v1', '').split('/').filter(Boolean)
  const name = words.map((word) => (word.startsWith('{') ? `By${capital(word.slice(1, -1))}` : capital(word)))
  return method.toLowerCase() + name.join('')
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

/** The schema as the JSON it is: the description holds nothing of the library that made it. Choices say that they are text. */
function plain(schema: TSchema): object {
  return JSON.parse(JSON.stringify(schema), (_, value) =>
    Array.isArray(value?.enum) && value.type === undefined ? { type: 'string', ...value } : value,
  )
}
