import type { Reason, Turn } from './intent.js'
import type { MemberRow, ServiceRow } from './shapes.js'
import { canonical } from './signed.js'
import { rows } from './view.js'

/** The newest word about a service counts, whatever order words come in; of two of the same time, one, the same everywhere. */
export async function putService(turn: Turn, row: ServiceRow): Promise<Reason | undefined> {
  if (!(await turn.get<MemberRow>(rows.member(row.member)))) return 'unknown'
  const key = rows.service(row.member, row.name)
  if (isNewer(await turn.get<ServiceRow>(key), row)) return 'older'
  await turn.put(key, row)
  return undefined
}

/** Whether what is there is newer than what comes. */
export function isNewer<T extends { readonly at: number }>(there: T | undefined, coming: T): boolean {
  if (!there) return false
  return there.at === coming.at ? canonical(there) > canonical(coming) : there.at > coming.at
}
