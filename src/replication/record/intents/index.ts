import type { Static, TSchema } from '#model'
import type { Envelope, IntentKind } from '../intent.js'
import { addMember } from './add-member.js'
import { addWriter } from './add-writer.js'
import { announceService } from './announce-service.js'
import { createFleet } from './create-fleet.js'
import { putDevices } from './put-devices.js'
import { putEvent } from './put-event.js'
import { putInvite } from './put-invite.js'
import { putSite } from './put-site.js'
import { recover } from './recover.js'
import { removeWriter } from './remove-writer.js'
import { revokeGrant } from './revoke-grant.js'
import { revokeInvite } from './revoke-invite.js'
import { revokeMember } from './revoke-member.js'
import { rotateTopic } from './rotate-topic.js'
import { setIndexers } from './set-indexers.js'
import { useInvite } from './use-invite.js'
import { withdrawService } from './withdraw-service.js'

/** Everything that can be written into the record. A new intent is a file and a line here. */
const list = [
  createFleet,
  addMember,
  revokeMember,
  revokeGrant,
  putInvite,
  useInvite,
  revokeInvite,
  announceService,
  withdrawService,
  addWriter,
  removeWriter,
  setIndexers,
  recover,
  rotateTopic,
  putSite,
  putDevices,
  putEvent,
] as const

export const kinds: ReadonlyMap<string, IntentKind> = new Map(
  list.map((kind) => [kind.op, kind as unknown as IntentKind]),
)

type FieldsOf<K> = K extends IntentKind<infer Op, infer S extends TSchema> ? { readonly op: Op } & Static<S> : never

/** One of them, with its fields. `at`: when it was meant, ms; the time of writing if absent. `signed`: whose word it is, see `signIntent`. */
export type Intent = FieldsOf<(typeof list)[number]> & { readonly at?: number; readonly signed?: Envelope['signed'] }
