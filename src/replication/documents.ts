import type { DeviceEntry } from '#model'
import { keys, type Main, putAll, under } from './layout.js'

/** Small documents of a service under names, in `main`. */
export async function readDocument<T>(main: Main, name: string): Promise<T | undefined> {
  return (await main.get(keys.document(name)))?.value as T | undefined
}

/** Undefined deletes it. */
export function writeDocument(main: Main, name: string, value: unknown): Promise<void> {
  const key = keys.document(name)
  return value === undefined ? putAll(main, [], [key]) : putAll(main, [[key, value]])
}

export async function readDocuments<T>(
  main: Main,
  prefix: string,
  options: { limit?: number; reverse?: boolean } = {},
): Promise<{ name: string; value: T }[]> {
  const found: { name: string; value: T }[] = []
  const start = keys.document('')
  for await (const { key, value } of main.createReadStream(under(start + prefix), options)) {
    found.push({ name: key.slice(start.length), value: value as T })
  }
  return found
}

/** The inventory. */
export async function readEntries(main: Main): Promise<[string, DeviceEntry][]> {
  const found: [string, DeviceEntry][] = []
  for await (const { key, value } of main.createReadStream(under(keys.entries)))
    found.push([decodeURIComponent(key.slice(keys.entries.length)), value as DeviceEntry])
  return found
}
