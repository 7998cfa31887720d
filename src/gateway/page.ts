import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { SdkError } from '#model'

/** Where the built page lies, whether this runs compiled (dist/src/gateway) or from source (src/gateway). */
export function pageFolder(from = import.meta.dirname): string {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return join(folder, 'dist', 'web')
  }
  return join(from, 'web')
}

const notBuilt = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>MiningSDK</title></head>
<body>
<h1>The page is not built</h1>
<p>Build it with <code>npm run build</code>, then reload.</p>
<p>Everything else works: the <a href="/api/docs/">HTTP interface</a>, the <code>miningsdk</code> command.</p>
</body>
</html>
`

/** Serves the page: names with a hash in them for ever, everything else asked for anew each time. */
export async function servePage(app: FastifyInstance, root = pageFolder()): Promise<void> {
  await app.register(fastifyStatic, { root, serve: false, cacheControl: false, dotfiles: 'deny' })
  app.route({ method: 'GET', url: '/', handler: (_, reply) => index(reply, root) })
  app.route({
    method: 'GET',
    url: '/*',
    handler(request, reply) {
      const path = (request.params as { '*': string })['*']
      if (path === '' || path.startsWith('api/')) throw notFound(request)
      reply.header('cache-control', path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache')
      return reply.sendFile(path)
    },
  })
}

function index(reply: FastifyReply, root: string) {
  reply.header('cache-control', 'no-cache')
  if (existsSync(join(root, 'index.html'))) return reply.sendFile('index.html')
  return reply.type('text/html; charset=utf-8').send(notBuilt)
}

export function notFound({ method, url }: Pick<FastifyRequest, 'method' | 'url'>): SdkError {
  return new SdkError('NOT_FOUND', `${method} ${url.split('?', 1)[0]} is not something this gateway answers`)
}
