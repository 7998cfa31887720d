import type { Device } from '#devices'
import type { DeviceEntry, Options, Problem, TSchema } from '#model'
import { optionProblems, optionSchemas } from './options.js'

/**
 * What is wrong with the `options` of a device worker's entry and of its devices; paths as `devices[0].options.scale`. A library that is not
 * built in is left to the worker.
 */
export function workerEntryProblems(
  devices: readonly Device[],
  config: { lib?: string; options?: Options; devices?: readonly DeviceEntry[] },
): Problem[] {
  const candidates = devices.filter(({ library }) => library === config.lib)
  if (candidates.length === 0) return []
  const entries = config.devices ?? []
  // Devices that are added later may bring what the worker's own settings still need.
  const known = new Set(optionSchemas(candidates).flatMap((schema) => Object.keys(propertiesOf(schema))))
  const strangers = Object.keys(config.options ?? {})
    .filter((key) => !known.has(key))
    .map((key) => ({
      path: `options.${key}`,
      message: `unknown key; ${config.lib} has ${[...known].join(', ') || 'no options'}`,
    }))
  if (strangers.length > 0) return strangers
  return entries.flatMap((entry, index) =>
    optionProblems(candidates, config.options, entry.options).map(({ path, message }) => ({
      path: `devices[${index}].options${dotted(path)}`,
      message,
    })),
  )
}

/** For editors: which `options` go with which `lib`. */
export function workerEntryRules(devices: readonly Device[]): unknown[] {
  const libraries = [...new Set(devices.filter(({ options }) => options).map(({ library }) => library))]
  return libraries.map((library) => {
    const schemas = optionSchemas(devices.filter((device) => device.library === library)).map(withoutRequired)
    const options = schemas.length === 1 ? schemas[0] : { anyOf: schemas }
    return {
      if: { properties: { lib: { const: library } }, required: ['lib'] },
      // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
      then: { properties: { options, devices: { items: { properties: { options } } } } },
    }
  })
}

function propertiesOf(schema: TSchema): Record<string, unknown> {
  return (schema as { properties?: Record<string, unknown> }).properties ?? {}
}

/** What is needed may stand at the worker or at the device. */
function withoutRequired(schema: TSchema): unknown {
  const { required: _, ...rest } = JSON.parse(JSON.stringify(schema)) as Record<string, unknown>
  return rest
}

/** `/registers/2/type` as `.registers[2].type`. */
function dotted(pointer: string): string {
  return pointer.replace(/\/(\d+)(?=\/|$)/g, '[$1]').replaceAll('/', '.')
}

/** How often a worker of these definitions polls unless its entry says otherwise: as the one wants that is to be left in peace longest. */
export function defaultIntervalMs(candidates: readonly Device[]): number {
  return Math.max(...candidates.map(({ defaults }) => defaults.intervalMs))
}
