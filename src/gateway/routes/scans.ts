import { Type } from '#model'
import { ScanRequestSchema, ScanSchema, scanner } from '#rpc'
import { firstThatKnows, fromAll, reach, scannerOf } from '../reach.js'
import { route } from '../route.js'
import { IdParams, listOf, strict } from './shapes.js'

const unknown = (id: string) => `there is no scan ${id}`
/** Adopting many devices visits each one. */
const adoptMs = 120_000

export const scanRoutes = [
  route({
    method: 'POST',
    path: '/api/v1/scans',
    group: 'scans',
    scope: 'admin',
    summary: 'Looks for devices in address ranges; answers at once, what is found is read at `Location`',
    body: ScanRequestSchema,
    reply: ScanSchema,
    status: 202,
    audit: { result: ({ id }) => id },
    async handle({ directory, site }, { body, caller, answer }) {
      const scan = await scannerOf(directory, site, caller).start(body)
      answer.header('location', `/api/v1/scans/${scan.id}`)
      return scan
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/scans',
    group: 'scans',
    scope: 'read',
    summary: 'Scans, newest first',
    reply: listOf(ScanSchema),
    async handle({ directory }, { caller }) {
      const lists = await fromAll(reach(directory, scanner, caller), (found) => found.list({}))
      return { data: lists.flat().sort((a, b) => b.startedAt - a.startedAt) }
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/scans/{id}',
    group: 'scans',
    scope: 'read',
    summary: 'One scan: how far it is, what it found, what it could not try',
    params: IdParams,
    reply: ScanSchema,
    handle: ({ directory }, { params: { id }, caller }) =>
      firstThatKnows(reach(directory, scanner, caller), (found) => found.get({ id }), unknown(id)),
  }),
  route({
    method: 'POST',
    path: '/api/v1/scans/{id}/adopt',
    group: 'scans',
    scope: 'admin',
    summary: 'Adds what was found, or the named hosts of it, to the workers that accept them',
    params: IdParams,
    body: Type.Object(
      { hosts: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 253 }), { maxItems: 10_000 })) },
      strict,
    ),
    reply: ScanSchema,
    audit: { targets: ({ reply }) => reply?.adopted ?? [], result: ({ id }) => id },
    handle: ({ directory }, { params: { id }, body, caller }) =>
      firstThatKnows(
        reach(directory, scanner, caller, { timeoutMs: adoptMs }),
        (found) => found.adopt({ id, ...(body.hosts ? { hosts: body.hosts } : {}) }),
        unknown(id),
      ),
  }),
  route({
    method: 'POST',
    path: '/api/v1/scans/{id}/cancel',
    group: 'scans',
    scope: 'admin',
    summary: 'Ends a scan; what it found stays',
    params: IdParams,
    reply: ScanSchema,
    handle: ({ directory }, { params: { id }, caller }) =>
      firstThatKnows(reach(directory, scanner, caller), (found) => found.cancel({ id }), unknown(id)),
  }),
]
