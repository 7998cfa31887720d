import { deflateRawSync, inflateRawSync } from 'node:zlib'
import b4a from 'b4a'
import { SdkError } from '#model'
import type { DevicePlace } from './shapes.js'

/** Devices on a page: about 30 kB, so that one that moves does not rewrite all. */
export const devicesAPage = 2000
export const maxPages = 1000
export const maxPageText = 200_000
/** What a page may become when it is unpacked: nobody's page takes our memory. */
const maxPageBytes = 4 * 1024 * 1024

export interface DevicesPage {
  readonly page: number
  readonly pages: number
  readonly count: number
  readonly data: string
}

/** The inventory in pages for `putDevices`, in the order of ids; the same devices make the same pages. Throws TOO_LARGE. */
export function packDevices(devices: readonly DevicePlace[]): DevicesPage[] {
  const sorted = [...devices].sort((a, b) => (a.id < b.id ? -1 : 1))
  const pages = Math.max(1, Math.ceil(sorted.length / devicesAPage))
  if (pages > maxPages) throw new SdkError('TOO_LARGE', `a worker has at most ${maxPages * devicesAPage} devices`)
  return Array.from({ length: pages }, (_, page) => {
    const some = sorted.slice(page * devicesAPage, (page + 1) * devicesAPage)
    const data = pack(some)
    if (data.length > maxPageText) throw new SdkError('TOO_LARGE', `${some.length} devices do not fit on a page`)
    return { page, pages, count: some.length, data }
  })
}

/** A column for each field: what is alike stands together, and packs well. */
function pack(devices: readonly DevicePlace[]): string {
  const columns = [
    devices.map(({ id }) => id),
    devices.map(({ name }) => name ?? null),
    devices.map(({ model }) => model ?? null),
    devices.map(({ location }) => location ?? null),
  ]
  return b4a.toString(deflateRawSync(b4a.from(JSON.stringify(columns)), { level: 9 }), 'base64')
}

/** Throws STORE_FAILED for a page that is none. */
export function unpackDevices(data: string): DevicePlace[] {
  try {
    const text = b4a.toString(inflateRawSync(b4a.from(data, 'base64'), { maxOutputLength: maxPageBytes }))
    const [ids, names, models, locations] = JSON.parse(text) as [
      string[],
      ...(DevicePlace[keyof DevicePlace] | null)[][],
    ]
    return ids.map(
      (id, index) =>
        Object.fromEntries(
          [
            ['id', id],
            ['name', names?.[index]],
            ['model', models?.[index]],
            ['location', locations?.[index]],
          ].filter(([, value]) => value !== null && value !== undefined),
        ) as unknown as DevicePlace,
    )
  } catch (error) {
    throw new SdkError('STORE_FAILED', 'a page of the inventory in the record cannot be read', { cause: error })
  }
}
