import { DeviceEntrySchema, type DeviceRecord, DeviceRecordSchema, Type } from '#model'
import { type Caller, type CallOptions, DevicePatchSchema, deviceWorker } from '#rpc'
import type { Gateway } from '../gateway.js'
import { project } from '../project.js'
import { filterOf } from '../query.js'
import { firstThatKnows, reach, workerNamed, workerOf } from '../reach.js'
import { route } from '../route.js'
import { seenBy } from '../sight.js'
import { filterQuery, IdParams, nullable, strict } from './shapes.js'

/** A visit to a slow controller may take this long. */
const visitMs = 60_000

const fieldNames = Object.keys(DeviceRecordSchema.properties) as (keyof DeviceRecord)[]
export const FieldsSchema = Type.Array(Type.Enum(fieldNames))

/** The record of a device: from the feeds, or of one that was added just now, from its worker. Throws NOT_FOUND without either. */
async function deviceOf({ fleet, directory }: Gateway, caller: Caller, id: string): Promise<DeviceRecord> {
  const record = seenBy(fleet, caller).device(id)
  if (record) return record
  const asked = reach(directory, deviceWorker, caller)
  return firstThatKnows(
    asked,
    async (worker) => (await worker.device({ id })) as DeviceRecord,
    `there is no device ${id}`,
  )
}

/** The worker of a device, called in the name of who asks. */
async function workerFor({ fleet, directory }: Gateway, caller: Caller, id: string, options?: CallOptions) {
  const reader = seenBy(fleet, caller).device(id) && fleet.readerOf(id)
  if (reader) return workerOf(directory, reader, caller, options)
  const knows = async (worker: ReturnType<typeof workerOf>) => {
    await worker.device({ id })
    return worker
  }
  return firstThatKnows(reach(directory, deviceWorker, caller, options), knows, `there is no device ${id}`)
}

const PartialRecordSchema = Type.Intersect([Type.Object({ id: Type.String() }), Type.Partial(DeviceRecordSchema)])
const worker = Type.Optional(Type.String({ minLength: 1, maxLength: 128 }))
const ManySchema = Type.Object(
  { worker, entries: Type.Array(DeviceEntrySchema, { minItems: 1, maxItems: 1000 }) },
  strict,
)
const OneSchema = Type.Object({ worker, ...DeviceEntrySchema.properties }, strict)

export const deviceRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/devices',
    group: 'devices',
    scope: 'read',
    summary: 'Devices by filter, sorted and paged; `fields` answers only those',
    query: Type.Object(
      {
        ...filterQuery,
        sort: Type.Optional(
          Type.String({
            pattern: '^-?[A-Za-z0-9]{1,64}$',
            description: 'a field or a metric; `-` in front: descending',
          }),
        ),
        fields: Type.Optional(FieldsSchema),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
        cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
      },
      strict,
    ),
    reply: Type.Object({
      data: Type.Array(PartialRecordSchema),
      nextCursor: nullable(Type.String()),
      total: Type.Integer(),
    }),
    handle({ fleet }, { query, caller }) {
      const { sort, limit, cursor, fields } = query
      const page = seenBy(fleet, caller).devices({
        filter: filterOf(query),
        ...(sort === undefined ? {} : { sort }),
        ...(limit === undefined ? {} : { limit }),
        ...(cursor === undefined ? {} : { cursor }),
      })
      return { ...page, data: page.data.map((record) => project(record, fields)) as typeof page.data }
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/devices',
    group: 'devices',
    scope: 'admin',
    summary: 'Adds one device, or many as `entries`; `worker` is needed where there are several',
    body: Type.Union([OneSchema, ManySchema]),
    reply: Type.Object({
      added: Type.Array(Type.String()),
      /** There before, by id or by host and port. */
      existing: Type.Array(Type.String()),
    }),
    status: 201,
    audit: { targets: ({ reply }) => reply?.added ?? [] },
    async handle({ directory }, { body, caller, answer }) {
      const { worker: name, ...rest } = body
      const entries = 'entries' in rest ? rest.entries : [rest]
      const reply = await workerNamed(directory, name, caller, { timeoutMs: visitMs }).addDevices({ entries })
      const first = reply.added[0] ?? reply.existing[0]
      if (reply.added.length === 0) answer.status(200)
      if (first !== undefined) answer.header('location', `/api/v1/devices/${first}`)
      return reply
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/devices/{id}',
    group: 'devices',
    scope: 'read',
    summary: 'One device: its last known record',
    params: IdParams,
    reply: DeviceRecordSchema,
    handle: (gateway, { params, caller }) => deviceOf(gateway, caller, params.id),
  }),
  route({
    method: 'PATCH',
    path: '/api/v1/devices/{id}',
    group: 'devices',
    scope: 'admin',
    summary: 'Renames, tags, places or re-addresses a device; null clears',
    params: IdParams,
    body: DevicePatchSchema,
    reply: DeviceRecordSchema,
    handle: async (gateway, { params: { id }, body, caller }) =>
      (await workerFor(gateway, caller, id)).updateDevice({ id, patch: body }),
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/devices/{id}',
    group: 'devices',
    scope: 'admin',
    summary: 'Forgets a device; its history stays',
    params: IdParams,
    async handle(gateway, { params: { id }, caller }) {
      await (await workerFor(gateway, caller, id)).removeDevice({ id })
      return undefined
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/devices/{id}/poll',
    group: 'devices',
    scope: 'read',
    summary: 'Reads the device now, out of turn',
    params: IdParams,
    reply: DeviceRecordSchema,
    handle: async (gateway, { params: { id }, caller, signal }) =>
      (await workerFor(gateway, caller, id, { timeoutMs: visitMs, signal })).poll({ id }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/devices/{id}/raw',
    group: 'devices',
    scope: 'read',
    summary: 'The replies of the device as the vendor gives them, for support; secrets removed',
    params: IdParams,
    reply: deviceWorker.methods.raw.output,
    handle: async (gateway, { params: { id }, caller, signal }) =>
      (await workerFor(gateway, caller, id, { timeoutMs: visitMs, signal })).raw({ id }),
  }),
]
