import { type Clock, SdkError } from '#model'
import { defineService, type Placement } from '#node'
import {
  type FleetInfo,
  fleetContract,
  type Invite,
  type InviteRequest,
  type Member,
  type Peer,
  registrar,
  serve,
} from '#rpc'
import { NothingSchema } from './farm.js'

export const memberKey = 'ab'.repeat(32)

export const logKey = 'ba'.repeat(32)

/** A fleet of one further member, as its node and its aggregator would tell of it. */
export function fleetService(clock: Clock): Placement {
  const now = clock.now()
  const fleet: FleetInfo = {
    name: 'acme',
    fleet: 'cd'.repeat(32),
    key: 'ef'.repeat(32),
    role: 'aggregator',
    epoch: 1,
    now,
    members: 1,
    services: 0,
    currentAt: now,
    refusals: {},
  }
  const peer: Peer = {
    key: memberKey,
    fingerprint: 'ab12',
    name: 'texas',
    role: 'worker',
    relayed: false,
    rttMs: 1.5,
    since: now,
    address: '127.0.0.1:1',
  }
  const members: Member[] = [
    {
      key: memberKey,
      fingerprint: 'ab12',
      name: 'texas',
      role: 'worker',
      scope: 'member',
      sites: ['texas'],
      until: null,
      addedAt: now,
      revoked: false,
      connected: true,
    },
  ]
  const invites: Invite[] = []
  const invited = (id: string) => {
    const found = invites.find((one) => one.id === id)
    if (!found) throw new SdkError('NOT_FOUND', `there is no invite ${id}`)
    return found
  }
  return {
    name: 'peers',
    config: {},
    service: defineService({
      kind: 'mesh',
      config: NothingSchema,
      start(context) {
        const answers = {
          describe: () => fleet,
          members: () => members,
          peers: () => [peer],
          services: () => [],
          invites: () => invites,
          refused: () => [{ at: now, reason: 'unknown', key: 'f'.repeat(64), count: 3 }],
          notTaken: () => [
            {
              reason: 'repeated',
              why: 'it was signed for one use, and taken before',
              count: 2,
              at: now - 1000,
              op: 'addMember',
              log: '9'.repeat(64),
              key: memberKey,
            },
            {
              reason: 'malformed',
              why: 'it is no intent',
              count: 1,
              at: null,
              op: null,
              log: '8'.repeat(64),
              key: null,
            },
          ],
          recordAudit: ({ from = 0, to = Number.POSITIVE_INFINITY }) =>
            [{ at: now - 2000, op: 'revokeMember', by: memberKey, about: 'ee'.repeat(32) }].filter(
              ({ at }) => at >= from && at < to,
            ),
          diagnose: ({ key = memberKey }) => ({ key, reachable: true, why: [] }),
        }
        context.provide(fleetContract, serve(fleetContract, answers))
        const writes = {
          announce: () => ({}),
          enrol: () => {
            throw new SdkError('FORBIDDEN', 'nobody is enrolled here')
          },
          invite: ({ role, sites, expiresInMs = 3_600_000 }: InviteRequest) => {
            const id = `invite-${invites.length}`
            const expiresAt = now + expiresInMs
            invites.push({ id, role, sites: sites ?? null, state: 'open', createdAt: now, expiresAt, usedBy: null })
            return { id, code: 'abcd-efgh', expiresAt }
          },
          confirmInvite: ({ id }: { id: string }) => {
            invited(id)
            return {}
          },
          guest: () => ({ key: memberKey, name: 'texas' }),
          letIn: ({ id }: { id: string }) => {
            invited(id).state = 'used'
            return {}
          },
          revokeInvite: ({ id }: { id: string }) => {
            invited(id).state = 'revoked'
            return {}
          },
          revokeMember: ({ key }: { key: string }) => {
            const member = members.find((one) => one.key === key)
            if (!member) throw new SdkError('NOT_FOUND', 'there is no such member')
            member.revoked = true
            return {}
          },
          putSite: () => ({}),
          putDevices: () => ({}),
          putEvent: () => ({}),
          foldedEvents: () => ({ events: [], more: false }),
          record: () => ({
            record: 'cd'.repeat(32),
            fleet: fleet.fleet,
            system: 'dc'.repeat(32),
            length: 1,
            logs: [{ log: logKey, member: fleet.key, name: 'hq', signs: true, connected: true }],
          }),
          setIndexers: () => ({}),
          removeWriter: () => ({}),
          recover: () => ({}),
          rotateTopic: () => ({ epoch: 2 }),
        }
        context.provide(registrar, serve(registrar, writes))
      },
    }),
  }
}
