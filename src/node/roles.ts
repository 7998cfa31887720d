import { Type } from '#model'
import { bootstrapNodes } from './network/index.js'
import { type Context, defineService } from './service.js'

const pulseMs = 10_000
const strict = { additionalProperties: false } as const

const DhtConfigSchema = Type.Object(
  {
    role: Type.Literal('dht'),
    port: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_000, default: 49_737, description: 'The first UDP port of its nodes.' }),
    ),
    host: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 253,
        default: '127.0.0.1',
        description: 'The address by which the other machines of the site reach this one.',
      }),
    ),
    nodes: Type.Optional(
      Type.Integer({ minimum: 2, maximum: 16, default: 3, description: 'So many ports from there on.' }),
    ),
    others: Type.Optional(
      Type.Array(Type.String(), { maxItems: 64, description: 'host:port of the nodes of other machines.' }),
    ),
  },
  strict,
)

/** The site's own DHT, for a LAN or a place without the Internet: the others name its addresses in `network.bootstrap`. */
export const dht = defineService({
  kind: 'dht',
  config: DhtConfigSchema,
  async start(context: Context<{ port: number; host: string; nodes: number; others?: string[] }>) {
    const { config, clock, log } = context
    const { addresses } = context.use(
      await bootstrapNodes({
        host: config.host,
        port: config.port,
        count: config.nodes,
        others: config.others ?? [],
        clock,
      }),
    )
    log.info({ addresses }, 'the DHT of the site runs')
    context.stats(() => ({ nodes: addresses.length }))
    context.every(pulseMs, () => context.alive())
  },
})

const MonitorConfigSchema = Type.Object(
  {
    role: Type.Literal('monitor'),
    keep: Type.Optional(
      Type.Union([Type.Literal('live'), Type.Literal('7d'), Type.Literal('all')], {
        default: 'live',
        description: 'How much of the history of the sites is kept here before anybody asks for it.',
      }),
    ),
  },
  strict,
)

/** Keeps a copy of what its grant lets it read: the feeds come with the mesh, this says how they are. */
export const monitor = defineService({
  kind: 'monitor',
  config: MonitorConfigSchema,
  start(context: Context) {
    const { directory } = context
    context.stats(() => ({
      feeds: directory.readers().length,
      devices: directory.readers().reduce((sum, reader) => sum + reader.records().length, 0),
    }))
    context.every(pulseMs, () => context.alive())
  },
})
