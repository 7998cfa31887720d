import { distance } from 'fastest-levenshtein'
import type { Device } from '#devices'
import { SdkError, type Static } from '#model'
import type { LibrarySchema } from '#rpc'

export type Library = Static<typeof LibrarySchema>

/** What each device library brings, in the order of the definitions. */
export function libraries(devices: readonly Device[]): Library[] {
  const groups = new Map<string, Device[]>()
  for (const device of devices) groups.set(device.library, [...(groups.get(device.library) ?? []), device])
  return [...groups].map(([library, group]) => ({
    library,
    kind: group[0]!.kind,
    make: group[0]!.make,
    families: group.map(({ family }) => family),
    models: [...new Set(group.flatMap(({ models }) => Object.keys(models)))],
    commands: [...new Set(group.flatMap(({ capabilities }) => capabilities))],
  }))
}

/** The definitions of a library; an unknown name is CONFIG_INVALID and answered with the nearest ones. */
export function devicesOf(devices: readonly Device[], library: string): readonly Device[] {
  const found = devices.filter((device) => device.library === library)
  if (found.length > 0) return found
  const names = [...new Set(devices.map((device) => device.library))]
  const near = nearest(library, names)
  throw new SdkError('CONFIG_INVALID', `there is no device library ${library}; did you mean ${near.join(' or ')}?`, {
    details: { problems: [{ path: '/lib', message: `must be one of ${names.join(', ')}` }] },
  })
}

/** The names most like the given one, best first, at most three. */
export function nearest(name: string, names: readonly string[]): string[] {
  const wanted = name.toLowerCase()
  return names
    .map((each) => ({ each, edits: distance(wanted, each.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)
    .filter(({ edits }, index) => index === 0 || (index < 3 && edits <= wanted.length / 2))
    .map(({ each }) => each)
}
