import type { DeviceRecord } from '#model'

/** Only these fields of a record, and its id. */
export function project(
  record: DeviceRecord,
  fields: readonly (keyof DeviceRecord)[] | undefined,
): Partial<DeviceRecord> & { id: string } {
  if (!fields) return record
  const chosen = fields.filter((name) => record[name] !== undefined).map((name) => [name, record[name]])
  return { id: record.id, ...Object.fromEntries(chosen) }
}
