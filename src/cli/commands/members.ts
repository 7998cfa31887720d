import { SdkError } from '#model'
import type { Invite, InviteRequest, IssuedInvite, Member, Peer, Refused } from '#rpc'
import { type CliCommand, type CommandGroup, list, text } from '../command.js'
import { age, type Output } from '../output.js'
import { ownerOf, ownerOption } from '../owner.js'
import { confirm } from '../prompt.js'
import { milliseconds } from './pause.js'

type RefusedRow = Omit<Refused, 'at'> & {
  readonly at: number | null
  readonly node: string | null
  readonly name: string | null
  readonly why?: string
  readonly op?: string | null
  readonly log?: string
}

const roles = 'worker, aggregator, gateway, operator, admin or monitor'

export const invite: CliCommand = {
  usage: '',
  summary: 'a short code with which one other machine joins the fleet; it is shown once',
  options: [
    ['--role <role>', `${roles} (default worker)`],
    ['--site <name...>', 'only for these sites'],
    ['--library <name...>', 'only devices of these libraries; of an operator or a gateway'],
    ['--device <id...>', 'only these devices; of an operator or a gateway'],
    ['--for <time>', 'how long the membership lasts, e.g. 12h, 30d (default until it is taken back)'],
    ['--scope <scope>', 'less than the role would have: read, control or admin'],
    ['--expires <time>', 'how long the code is good, e.g. 30m, 1h, 2d (default 1h)'],
    ownerOption,
  ],
  async run({ options, out, env, signal, site }) {
    const client = await site()
    const request = requestOf(options)
    const owner = await ownerOf(options, env, client)
    if (!owner) {
      if (request.role === 'admin')
        throw new SdkError('FORBIDDEN', 'only the owner of the fleet makes admins: give its key with --owner <file>')
      return show(out, await client.send<IssuedInvite>('POST', '/api/v1/invites', request))
    }
    const { makeInvite, signGuest } = await import('../invite-owner.js')
    const made = await makeInvite(client, owner, request)
    await show(out, made)
    out.note('Leave this open until the other machine is in: the owner signs for it when it comes')
    out.note(`${await signGuest(client, owner, made, request, signal)} is in`)
    return undefined
  },
}

function requestOf(options: Readonly<Record<string, unknown>>): InviteRequest {
  const expires = text(options, 'expires')
  const scope = text(options, 'scope')
  const lasts = text(options, 'for')
  // What is none of these the site refuses, and says which there are.
  return {
    role: text(options, 'role') ?? 'worker',
    ...(options.site ? { sites: list(options, 'site') } : {}),
    ...(options.library ? { libraries: list(options, 'library') } : {}),
    ...(options.device ? { devices: list(options, 'device') } : {}),
    ...(scope ? { scope } : {}),
    ...(expires ? { expiresInMs: milliseconds(expires) } : {}),
    ...(lasts ? { grantForMs: milliseconds(lasts) } : {}),
  } as InviteRequest
}

async function show(out: Output, made: IssuedInvite): Promise<undefined> {
  if (out.json || !out.terminal) return void out.value(made, made.code)
  const { renderUnicodeCompact } = await import('uqr')
  out.line(`${renderUnicodeCompact(made.code)}\n\n  ${made.code}\n`)
  out.note(`On the other machine: miningsdk join ${made.code}`)
  out.note(`Good once, until ${new Date(made.expiresAt).toLocaleString()}`)
  return undefined
}

export const invites: CommandGroup = {
  ls: {
    usage: '',
    summary: 'list the invitations',
    async run({ out, site }) {
      const { data } = await (await site()).get<{ data: Invite[] }>('/api/v1/invites')
      out.table(data, [
        { title: 'id', get: (row) => row.id },
        { title: 'role', get: (row) => row.role },
        { title: 'sites', get: (row) => row.sites?.join(', ') ?? 'all' },
        { title: 'state', get: (row) => row.state },
        { title: 'expires', get: (row) => new Date(row.expiresAt).toISOString() },
        { title: 'used by', get: (row) => row.usedBy },
      ])
      return undefined
    },
  },
  revoke: {
    usage: '<id>',
    summary: 'take an invitation back that nobody has used',
    async run({ args, out, site }) {
      await (await site()).send('DELETE', `/api/v1/invites/${encodeURIComponent(args[0]!)}`)
      out.value({ revoked: args[0] }, `revoked ${args[0]}`)
      return undefined
    },
  },
}

export const members: CommandGroup = {
  ls: {
    usage: '',
    summary: 'list the members of the fleet and how they are connected',
    async run({ out, site }) {
      const client = await site()
      const [{ data }, { peers }] = await Promise.all([
        client.get<{ data: Member[] }>('/api/v1/members'),
        client.get<{ peers: Peer[] }>('/api/v1/mesh'),
      ])
      const byKey = new Map(peers.map((peer) => [peer.key, peer]))
      out.table(data, [
        { title: 'member', get: (row) => row.fingerprint },
        { title: 'name', get: (row) => row.name },
        { title: 'role', get: (row) => row.role },
        { title: 'sites', get: (row) => row.sites?.join(', ') ?? 'all' },
        { title: 'only', get: (row) => [...(row.libraries ?? []), ...(row.devices ?? [])].join(', ') },
        { title: 'state', get: (row) => stateOf(row) },
        { title: 'way', get: (row) => wayOf(byKey.get(row.key)) },
        { title: 'rtt', get: (row) => rttOf(byKey.get(row.key)), align: 'right' },
        { title: 'added', get: (row) => age(row.addedAt), align: 'right' },
      ])
      return undefined
    },
  },
  refused: {
    usage: '',
    summary: 'list who was turned away by which node, and what the record of the fleet did not take, and why',
    options: [['--limit <n>', 'so many, the newest first (default 100)']],
    async run({ options, out, site }) {
      const limit = text(options, 'limit') ?? '100'
      const { data } = await (await site()).get<{ data: RefusedRow[] }>(
        `/api/v1/mesh/refused?limit=${encodeURIComponent(limit)}`,
      )
      out.table(data, [
        { title: 'when', get: (row) => (row.at === null ? null : new Date(row.at).toISOString()) },
        { title: 'node', get: (row) => row.node ?? 'the record' },
        { title: 'refused', get: (row) => row.name ?? row.key ?? row.log ?? 'many' },
        { title: 'why', get: (row) => (row.why ? `${row.op ?? 'a block'}: ${row.why}` : row.reason) },
        { title: 'times', get: (row) => row.count, align: 'right' },
      ])
      return undefined
    },
  },
  revoke: {
    usage: '<member>',
    summary: 'take a membership back, by fingerprint, name or key',
    options: [['--reason <text>', 'why, for the audit'], ['--yes', 'without asking'], ownerOption],
    async run({ args, options, out, env, site }) {
      const client = await site()
      const owner = await ownerOf(options, env, client)
      const { data } = await client.get<{ data: Member[] }>('/api/v1/members')
      const member = memberNamed(data, args[0]!)
      const asked = `Take the membership of ${member.name} (${member.fingerprint}, ${member.role}) back?`
      if (options.yes !== true && !(await confirm(asked))) return undefined
      const reason = text(options, 'reason') ?? ''
      const path = `/api/v1/members/${member.key}`
      if (owner) {
        const body = reason ? { reason } : {}
        const word = await owner.word({ op: 'revokeMember', key: member.key, ...body })
        await client.send('POST', `${path}/revoke`, { ...body, owner: word })
      } else await client.send('DELETE', `${path}?reason=${encodeURIComponent(reason)}`)
      out.value({ revoked: member.key }, `revoked ${member.name} (${member.fingerprint})`)
      return undefined
    },
  },
}

function stateOf({ revoked, until, connected }: Member): string {
  if (revoked) return 'revoked'
  if (until !== null && until < Date.now()) return 'expired'
  return connected ? 'connected' : 'away'
}

const wayOf = (peer: Peer | undefined) => (peer ? (peer.relayed ? 'relayed' : 'direct') : undefined)
const rttOf = (peer: Peer | undefined) => (peer?.rttMs == null ? undefined : `${peer.rttMs.toFixed(1)} ms`)

/** Throws BAD_REQUEST for a name that several or none have. */
export function memberNamed(members: readonly Member[], name: string): Member {
  const found = members.filter((member) => [member.key, member.fingerprint, member.name].includes(name))
  if (found.length === 1) return found[0]!
  const known = members.map((member) => `${member.name} (${member.fingerprint})`).join(', ')
  throw new SdkError(
    'BAD_REQUEST',
    `${found.length === 0 ? 'no member' : 'more than one member'} is called ${name}; there are ${known}`,
  )
}
