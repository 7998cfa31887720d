import type { Clock } from '#model'
import type { FeedAge, Reader, RemoteReader } from './types.js'

/** How current each feed is, by site and worker. */
export function feedAges(readers: readonly Reader[], clock: Clock): FeedAge[] {
  const ages = readers.map((reader) => ageOf(reader, clock))
  return ages.sort((a, b) => order(a.site, b.site) || order(a.worker, b.worker))
}

function ageOf(reader: Reader, clock: Clock): FeedAge {
  const { worker, site } = reader
  const devices = reader.records().length
  if (isRemote(reader)) {
    const { at, ageMs, connections, behind, problem } = reader.lag()
    return { worker, site, devices, at, ageMs, connections, behind, ...(problem ? { problem } : {}) }
  }
  const at = reader.records().reduce<number | null>((newest, { askedAt }) => later(newest, askedAt), null)
  const ageMs = at === null ? null : Math.max(0, clock.now() - at)
  return { worker, site, devices, at, ageMs, connections: null, behind: 0 }
}

function isRemote(reader: Reader): reader is RemoteReader {
  return typeof (reader as Partial<RemoteReader>).lag === 'function'
}

function later(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b
  return Math.max(a, b)
}

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
