import type { FleetInfo, Member, Reachability, Refused } from '#rpc'
import type { Call } from '../command.js'
import { age } from '../output.js'
import type { SiteClient } from '../site-client.js'
import { type Finding, ok } from './finding.js'

/** So many members that are away are tried at once. */
const mostDiagnosed = 5
/** Older refusals are the past. */
const recentMs = 3_600_000
const mostRefused = 1_000

/** What to do about who was turned away, by the reason; of others there is the general advice. */
const refusals: Readonly<Record<string, { state: Finding['state']; words: string; action: string }>> = {
  clone: {
    state: 'broken',
    words: 'two machines run with one key; one of them is a copy of the other',
    action: 'Switch the copy off. If you do not know it: miningsdk members revoke, and invite the machine anew.',
  },
  revoked: { state: 'warning', words: 'revoked, and still calls', action: 'Stop its node, or remove its storage.' },
  'not-valid': {
    state: 'warning',
    words: 'its grant has ended, or does not count yet',
    action: 'Compare its clock with this one; else invite it anew.',
  },
  unknown: {
    state: 'warning',
    words: 'no member',
    action: 'If it should be one: miningsdk invite. Else somebody knows the address or the topic, and gets nothing.',
  },
}
const anyReason = (reason: string) => ({
  state: 'warning' as const,
  words: reason,
  action: 'miningsdk members refused',
})

/** The fleet as seen from the running site: its network, its record, who is away and why, and who was turned away. */
export async function meshFindings({ site }: Call): Promise<Finding[]> {
  const client = await site()
  const { fleet } = await client.get<{ fleet: FleetInfo | null }>('/api/v1/mesh')
  if (!fleet) return [ok('fleet', 'none: this site has no peers')]
  const [{ data: members }, { why, reachable }, { data: refused }] = await Promise.all([
    client.get<{ data: Member[] }>('/api/v1/members'),
    client.get<Reachability>(`/api/v1/mesh/reach/${fleet.key}`),
    client.get<{ data: Row[] }>(`/api/v1/mesh/refused?limit=${mostRefused}`),
  ])
  return [
    reachable
      ? ok('network', why.join('; '))
      : {
          check: 'network',
          state: 'broken',
          finding: why.join('; '),
          action: 'Check cable, DNS and the firewall for UDP.',
        },
    fleet.currentAt === null
      ? {
          check: 'record',
          state: 'warning',
          finding: 'no copy of the fleet yet',
          action: 'Start an aggregator of the fleet.',
        }
      : ok('record', `current ${age(fleet.currentAt)} ago`),
    ...(await membersAway(client, members)),
    ...turnedAway(refused.filter(({ at, source }) => source === 'connection' && Date.now() - at < recentMs)),
  ]
}

type Row = Refused & { readonly source: string; readonly node: string; readonly name: string | null }

async function membersAway(client: SiteClient, members: readonly Member[]): Promise<Finding[]> {
  const away = members.filter(
    ({ revoked, connected, until }) => !revoked && !connected && (until ?? Infinity) > Date.now(),
  )
  const reasons = await Promise.all(
    away.slice(0, mostDiagnosed).map(({ key }) => client.get<Reachability>(`/api/v1/mesh/reach/${key}`)),
  )
  return away.map(({ name, fingerprint }, index) => ({
    check: `member ${name}`,
    state: 'warning',
    finding: reasons[index]?.why.join('; ') ?? `${fingerprint} is not connected`,
    action: 'Is it on, is its clock right, is UDP let out?',
  }))
}

/** A line for each node, reason and who it was. */
function turnedAway(rows: readonly Row[]): Finding[] {
  const found = new Map<string, Row>()
  for (const row of rows) {
    const who = `${row.node} ${row.reason} ${row.name ?? (row.reason === 'unknown' ? '' : row.key)}`
    found.set(who, { ...row, count: row.count + (found.get(who)?.count ?? 0) })
  }
  return [...found.values()].map(({ node, reason, name, key, count }) => {
    const { state, words, action } = refusals[reason] ?? anyReason(reason)
    const who = name ?? (reason === 'unknown' || key === null ? 'somebody' : key)
    return { check: `refused by ${node}`, state, finding: `${who}: ${words} (${count} times in an hour)`, action }
  })
}
