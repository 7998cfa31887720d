import { Type } from '#model'
import { IndexersSchema, OwnerWordSchema, RecordStateSchema, registrar, TopicWordSchema } from '#rpc'
import { route } from '../route.js'
import { needRegistrar } from './mesh.js'
import { strict } from './shapes.js'

const owner = Type.Optional(OwnerWordSchema)

/** Who writes the record of the fleet and who signs it. */
export const recordRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/mesh/record',
    group: 'mesh',
    scope: 'admin',
    summary: "Who writes the fleet's record and who signs it, as an aggregator sees it",
    reply: RecordStateSchema,
    handle: (gateway, { caller }) => needRegistrar(gateway, caller).record({}),
  }),
  route({
    method: 'PUT',
    path: '/api/v1/mesh/indexers',
    group: 'mesh',
    scope: 'admin',
    summary: 'Which logs sign the record, one or three; `force` if most of those of now or then cannot be reached',
    body: Type.Object({ logs: IndexersSchema, force: Type.Optional(Type.Boolean()), owner }, strict),
    audit: { targets: ({ body }) => body.logs },
    async handle(gateway, { caller, body }) {
      await needRegistrar(gateway, caller).setIndexers(body)
      return undefined
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/mesh/writers/{key}/remove',
    group: 'mesh',
    scope: 'admin',
    summary: 'A log writes the record no more; one that signs is replaced first',
    params: Type.Object({ key: registrar.methods.removeWriter.input.properties.log }, strict),
    body: Type.Object({ owner }, strict),
    audit: { targets: ({ params }) => [params.key] },
    async handle(gateway, { caller, params: { key }, body }) {
      await needRegistrar(gateway, caller).removeWriter({ log: key, ...body })
      return undefined
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/mesh/recover',
    group: 'mesh',
    scope: 'admin',
    summary: 'Those who signed the record are lost for good: these do from now on, by the word of the owner',
    body: Type.Object({ ...registrar.methods.recover.input.properties }, strict),
    audit: { targets: ({ body }) => body.logs },
    async handle(gateway, { caller, body }) {
      await needRegistrar(gateway, caller).recover(body)
      return undefined
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/mesh/topic',
    group: 'mesh',
    scope: 'admin',
    summary: 'The members meet elsewhere from now on',
    body: Type.Object({ said: Type.Optional(TopicWordSchema) }, strict),
    reply: Type.Object({ epoch: Type.Integer() }),
    audit: { result: ({ epoch }) => String(epoch) },
    handle: (gateway, { caller, body }) => needRegistrar(gateway, caller).rotateTopic(body),
  }),
]
