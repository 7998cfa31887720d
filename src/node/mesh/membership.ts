import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Grant, GrantSchema, type Identity, type KeyPair, keyPattern } from '#keys'
import { type Clock, type Static, sleep, Type } from '#model'
import { jsonFile } from '../json-file.js'
import { hostPortPattern } from '../names.js'

const KeySchema = Type.String({ pattern: keyPattern })

/** What a storage folder knows of its fleet. Secret: who has it and a grant is a member. */
export const MembershipSchema = Type.Object({
  version: Type.Literal(1),
  name: Type.String({ minLength: 1, maxLength: 64 }),
  /** The public key of the owner. */
  fleet: KeySchema,
  /** The fleet's record, and what it is encrypted with. */
  record: KeySchema,
  encryptionKey: KeySchema,
  /** What the topic where members meet comes from. */
  secret: KeySchema,
  /** Members that write the record: known before the first copy of it is here. */
  hosts: Type.Array(KeySchema, { maxItems: 16 }),
  /** The DHT of the fleet, unless the configuration names one. */
  bootstrap: Type.Union([
    Type.Literal('local'),
    Type.Literal('public'),
    Type.Array(Type.String({ pattern: hostPortPattern }), { maxItems: 64 }),
  ]),
})
export type Membership = Static<typeof MembershipSchema>

export const membershipFile = 'fleet.json'
const grantsFolder = 'grants'

/** The process that the storage folder's own identity belongs to; the others have keys derived from it. */
export const mainProcess = 'node'

/** Where a process keeps its copy of the record; that of the main one may be where the record is written. */
export function recordFolder(storage: string, process: string): string {
  return process === mainProcess ? join(storage, 'record') : join(storage, process, 'record')
}

/** Where a process keeps what it holds of the mesh besides. */
export function homeFolder(storage: string, process: string): string {
  return process === mainProcess ? join(storage, 'mesh') : join(storage, process, 'mesh')
}

export function keyPairOf(identity: Identity, process: string): KeyPair {
  return process === mainProcess ? identity.keyPair() : identity.keyPair(`process/${process}`)
}

/** How often a process looks whether another one of the same folder has made its fleet or its grant. */
const lookMs = 100

const fileOf = (storage: string) => jsonFile(join(storage, membershipFile), MembershipSchema)
const grantFileOf = (storage: string, name: string) =>
  jsonFile(join(storage, grantsFolder, `${name}.json`), GrantSchema)

/** The fleet of a storage folder; undefined: none. Throws STORE_FAILED for a file that is damaged. */
export function loadMembership(storage: string): Promise<Membership | undefined> {
  return fileOf(storage).load()
}

export function saveMembership(storage: string, membership: Membership): Promise<void> {
  return fileOf(storage).save(membership)
}

export function loadGrant(storage: string, name: string): Promise<Grant | undefined> {
  return grantFileOf(storage, name).load()
}

export async function saveGrant(storage: string, name: string, grant: Grant): Promise<void> {
  await mkdir(join(storage, grantsFolder), { recursive: true, mode: 0o700 })
  await grantFileOf(storage, name).save(grant)
}

/** What another process of the same folder makes: waits for it until the signal aborts. */
export async function awaited<T>(load: () => Promise<T | undefined>, clock: Clock, signal: AbortSignal): Promise<T> {
  for (;;) {
    const found = await load()
    if (found !== undefined) return found
    await sleep(clock, lookMs, signal)
  }
}
