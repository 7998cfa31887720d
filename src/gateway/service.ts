import { type Static, Type } from '#model'
import { type Context, defineService } from '#node'
import { fleetView } from '#replication'
import { type CommandJob, commander, gatewayContract, serve } from '#rpc'
import { buildApp, closeApp } from './app.js'
import { openAudit } from './audit.js'
import { openAdminToken } from './auth/admin-token.js'
import { authenticator } from './auth/authenticate.js'
import { openSessions } from './auth/sessions.js'
import { openTokens } from './auth/tokens.js'
import type { Gateway } from './gateway.js'
import { listen } from './listen.js'
import { fromAll, reach } from './reach.js'
import { routes } from './routes/index.js'
import { createHub, heartbeatMs } from './stream/hub.js'

export const defaultPort = 3000
export const defaultHost = '127.0.0.1'

export const GatewayConfigSchema = Type.Object(
  {
    /** Default 3000; 0: any free one. */
    port: Type.Optional(Type.Integer({ minimum: 0, maximum: 65535 })),
    /** Default 127.0.0.1: this machine only. */
    host: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
    /** Further names under which browsers may ask for this gateway, without port. */
    allowedHosts: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 253 }), { maxItems: 100 })),
    /** If the port is taken, take the next free one. Default: only if no port is named. */
    portFallback: Type.Optional(Type.Boolean()),
    /** Only reads are answered, whoever asks; signing in and tokens of its own remain. */
    readOnly: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)

export type GatewayConfig = Static<typeof GatewayConfigSchema>

/** The HTTP face of a node: dashboard, API, live stream, metrics. Holds no logic. */
export const gateway = defineService({
  kind: 'gateway',
  config: GatewayConfigSchema,
  start: startGateway,
})

async function startGateway(ctx: Context<GatewayConfig>): Promise<void> {
  const { clock, log, directory, site, demo, config } = ctx
  const host = config.host ?? defaultHost
  const wantedPort = config.port ?? defaultPort

  const tokens = await openTokens(ctx.storage, await openAdminToken(ctx.nodeStorage, log), clock)
  ctx.defer(() => tokens.close())
  const auth = authenticator(clock, tokens, await openSessions(ctx.storage, clock, log))
  const audit = ctx.use(await openAudit({ storage: ctx.storage, clock, log }))
  const fleet = ctx.use(fleetView(directory, { clock, log }))
  const stream = createHub({ clock, fleet, site, demo, holds: auth.holds, commands: () => newestCommands(ctx) })
  const face: Gateway = {
    name: ctx.name,
    site,
    demo,
    clock,
    log,
    directory,
    fleet,
    auth,
    audit,
    stream,
    readOnly: config.readOnly ?? false,
    startedAt: clock.now(),
  }

  const app = await buildApp(face, { routes, host, allowedHosts: config.allowedHosts ?? [] })
  ctx.defer(() => closeApp(app, face))
  const fallback = config.portFallback ?? config.port === undefined
  const port = await listen(app, { host, port: wantedPort, fallback })
  const url = `http://${reachable(host)}:${port}`

  ctx.provide(
    gatewayContract,
    serve(
      gatewayContract,
      {
        address: () => ({ url, host, port, wantedPort: wantedPort || port }),
        signInCode: () => {
          const { code, expiresAt } = auth.codes.issue()
          return { code, expiresAt, url: `${url}/#code=${code}` }
        },
      },
      { log, clock },
    ),
  )
  ctx.every(heartbeatMs, () => {
    stream.heartbeat()
    ctx.alive()
  })
  ctx.stats(() => ({
    streams: stream.clients,
    resyncs: stream.resyncs,
    sessions: auth.sessions.size,
    auditLost: audit.lost,
    contestedDevices: fleet.contested,
  }))
  log.info({ url }, 'the gateway listens')
}

/** Where a browser of this machine finds what is bound to this address. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

/** For the live stream: what every commander has on top of its list. */
async function newestCommands({ directory }: Context): Promise<{ site: string; jobs: CommandJob[] }[]> {
  const commanders = reach(directory, commander, { id: 'gateway', scope: 'read' })
  return fromAll(commanders, async (found, site) => ({ site, jobs: await found.list({ limit: 50 }) }))
}
