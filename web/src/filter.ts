import type { Health, Kind, Status } from '#model'
import type { DeviceRow } from './client.js'

/** What the table shows: alternatives within a facet, all facets together; free text over names and addresses. */
export interface Filter {
  kind: Kind[]
  status: Status[]
  health: Health[]
  worker: string[]
  model: string[]
  tag: string[]
  q: string
}

export type Facet = Exclude<keyof Filter, 'q'>
export const facets = ['kind', 'status', 'health', 'model', 'worker', 'tag'] as const satisfies readonly Facet[]
export const facetTitles: Record<Facet, string> = {
  kind: 'Kind',
  status: 'Status',
  health: 'Health',
  model: 'Model',
  worker: 'Worker',
  tag: 'Tag',
}

export const noFilter: Filter = { kind: [], status: [], health: [], worker: [], model: [], tag: [], q: '' }

export function readFilter(query: URLSearchParams): Filter {
  const list = (name: Facet) => [...new Set(query.getAll(name).flatMap((value) => value.split(',')))].filter(Boolean)
  return {
    kind: list('kind') as Kind[],
    status: list('status') as Status[],
    health: list('health') as Health[],
    worker: list('worker'),
    model: list('model'),
    tag: list('tag'),
    q: query.get('q') ?? '',
  }
}

export function writeFilter(filter: Filter, sort: string, query = new URLSearchParams()): URLSearchParams {
  for (const facet of facets) {
    query.delete(facet)
    for (const value of filter[facet]) query.append(facet, value)
  }
  if (filter.q) query.set('q', filter.q)
  else query.delete('q')
  if (sort && sort !== defaultSort) query.set('sort', sort)
  else query.delete('sort')
  return query
}

export const defaultSort = 'name'

export const isFiltered = (filter: Filter): boolean =>
  filter.q.trim() !== '' || facets.some((facet) => filter[facet].length > 0)

export function toggle(filter: Filter, facet: Facet, value: string): Filter {
  const present = filter[facet] as string[]
  return {
    ...filter,
    [facet]: present.includes(value) ? present.filter((other) => other !== value) : [...present, value],
  }
}

const unnamed = 'unknown'
export const modelOf = (record: DeviceRow): string => record.model ?? unnamed
/** The name that the operator gave, else the id without the site that all of them share. */
export const nameOf = ({ name, id, site }: DeviceRow): string =>
  name ?? (id.startsWith(`${site}.`) ? id.slice(site.length + 1) : id)

/** The values of a record that a facet can ask for. */
export function valuesOf(record: DeviceRow, facet: Facet): readonly string[] {
  if (facet === 'tag') return record.tags
  if (facet === 'model') return [modelOf(record)]
  return [record[facet]]
}

export function matcher(filter: Filter, except?: Facet): (record: DeviceRow) => boolean {
  const wanted = facets
    .filter((facet) => facet !== except && filter[facet].length > 0)
    .map((facet) => [facet, new Set<string>(filter[facet])] as const)
  const words = filter.q.toLowerCase().split(/\s+/).filter(Boolean)
  return (record) => {
    for (const [facet, values] of wanted) if (!valuesOf(record, facet).some((value) => values.has(value))) return false
    if (words.length === 0) return true
    const hay = haystack(record)
    return words.every((word) => hay.includes(word))
  }
}

function haystack(record: DeviceRow): string {
  const { id, name, address, model, make, serial, mac, hostname, tags } = record
  return [id, name, address, model, make, serial, mac, hostname, ...tags].filter(Boolean).join(' ').toLowerCase()
}

/** How many devices each value of a facet would show, the other facets being as they are. Most frequent first. */
export function countFacet(
  records: Iterable<DeviceRow>,
  filter: Filter,
  facet: Facet,
): { value: string; count: number }[] {
  const matches = matcher(filter, facet)
  const counts = new Map<string, number>(filter[facet].map((value) => [value, 0]))
  for (const record of records) {
    if (matches(record)) for (const value of valuesOf(record, facet)) counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
}
