import type { DeviceFilter, DeviceRecord } from '#model'

type Test = (record: DeviceRecord) => boolean

/** A test for records: all given conditions must hold, lists are alternatives (an empty list has none and matches nothing). */
export function matcher(filter: DeviceFilter = {}): Test {
  const tests: Test[] = []
  const oneOf = (wanted: readonly string[] | undefined, values: (record: DeviceRecord) => readonly unknown[]) => {
    if (!wanted) return
    const set = new Set<unknown>(wanted)
    tests.push((record) => values(record).some((value) => set.has(value)))
  }
  oneOf(filter.kind, ({ kind }) => [kind])
  oneOf(filter.status, ({ status }) => [status])
  oneOf(filter.health, ({ health }) => [health])
  oneOf(filter.site, ({ site }) => [site])
  oneOf(filter.worker, ({ worker }) => [worker])
  oneOf(filter.model, ({ model }) => [model])
  oneOf(filter.tag, ({ tags }) => tags)
  oneOf(filter.container, ({ location }) => [location.container])
  oneOf(filter.rack, ({ location }) => [location.rack === undefined ? undefined : String(location.rack)])
  const words = filter.q?.trim().toLowerCase()
  if (words) tests.push((record) => textOf(record).includes(words))
  return (record) => tests.every((test) => test(record))
}

function textOf({ id, name, address, model, serial, mac, tags }: DeviceRecord): string {
  return [id, name, address, model, serial, mac, ...tags].join('\n').toLowerCase()
}
