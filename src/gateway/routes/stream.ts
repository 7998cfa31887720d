import { Type } from '#model'
import { route } from '../route.js'
import { streamEvents } from '../stream/events.js'
import { FieldsSchema } from './devices.js'
import { strict } from './shapes.js'

export const streamRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/stream',
    group: 'stream',
    scope: 'read',
    summary:
      'Server-sent events: `devices` { records, removed }, `fleet` (as GET /api/v1/fleet), `commands` { jobs }, `alerts`; `reset` says: read anew. `Last-Event-ID` resumes',
    query: Type.Object(
      {
        events: Type.Optional(Type.Array(Type.Enum(streamEvents))),
        fields: Type.Optional(FieldsSchema),
      },
      strict,
    ),
    type: 'text/event-stream',
    handle({ stream }, { query, identity, header, answer }) {
      stream.open(
        {
          events: query.events ?? streamEvents,
          fields: query.fields,
          lastEventId: header('last-event-id'),
          identity: identity!,
        },
        () => answer.stream(),
      )
      return undefined
    },
  }),
]
