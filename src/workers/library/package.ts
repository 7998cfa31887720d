import { readFileSync, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { satisfies, validRange } from 'semver'
import { type Device, deviceProblems } from '#devices'
import { SdkError, sleep, systemClock } from '#model'
import { version as sdkVersion } from '#node'
import { giveSdk } from './sdk-import.js'

/** A package that was looked at, not run yet. */
export interface Package {
  readonly name: string
  readonly version: string
  /** Its folder, absolute. */
  readonly path: string
  /** What is imported. */
  readonly entry: string
}

/** A package's definitions, all of one library. */
export interface Loaded extends Package {
  readonly library: string
  readonly devices: readonly Device[]
}

const packageName = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/
const importMs = 10_000
const mostDevices = 100

/**
 * Finds a package by the path of its folder, or by its name where Node would find it from one of the folders. Throws NOT_FOUND, BAD_REQUEST, or
 * LIBRARY_INVALID if its package.json says that it is none for this SDK.
 */
export function findPackage(wanted: string, folders: readonly string[]): Package {
  const path = isAbsolute(wanted) ? wanted : folderOf(wanted, folders)
  const manifest = manifestOf(path)
  const { name, version, type, peerDependencies } = manifest
  if (typeof name !== 'string' || !packageName.test(name)) throw invalid(path, 'its package.json has no name')
  if (typeof version !== 'string') throw invalid(name, 'its package.json has no version')
  const range = (peerDependencies as Record<string, unknown> | undefined)?.miningsdk
  if (typeof range !== 'string' || validRange(range) === null)
    throw invalid(name, 'its package.json does not say for which miningsdk it is made (peerDependencies.miningsdk)')
  if (!satisfies(sdkVersion, range, { includePrerelease: true }))
    throw invalid(name, `it is made for miningsdk ${range}, this is ${sdkVersion}`)
  const entry = entryOf(manifest)
  if (type !== 'module' && !entry.endsWith('.mjs')) throw invalid(name, 'it must be an ES module ("type": "module")')
  return { name, version, path, entry: join(path, entry) }
}

/**
 * Runs the package's code and checks what it exports: `devices`, a list of definitions of one library. `sdkUrl` is what it gets as `miningsdk`.
 * Throws LIBRARY_INVALID with the reason.
 */
export async function loadPackage(found: Package, sdkUrl: string): Promise<Loaded> {
  giveSdk(sdkUrl)
  const { name } = found
  let exported: { devices?: unknown }
  try {
    // A changed file is another module: a package that was mended is not mistaken for what it was.
    const url = `${pathToFileURL(found.entry).href}?at=${Math.round(statSync(found.entry).mtimeMs)}`
    exported = await Promise.race([import(url), tooLate()])
  } catch (error) {
    throw invalid(name, `it cannot be imported: ${error instanceof Error ? error.message : String(error)}`, error)
  }
  const devices = exported.devices
  if (!Array.isArray(devices) || devices.length === 0 || devices.length > mostDevices)
    throw invalid(name, 'it does not export `devices`, a list of device definitions')
  const problems = devices.flatMap((device, at) => deviceProblems(device).map((what) => `devices[${at}]: ${what}`))
  if (problems.length > 0) throw invalid(name, problems.slice(0, 5).join('; '))
  const [{ library }] = devices as [Device]
  if ((devices as Device[]).some((device) => device.library !== library))
    throw invalid(name, 'its definitions are of several libraries; a package is one')
  const families = (devices as Device[]).map(({ family }) => family)
  const twin = families.find((family, at) => families.indexOf(family) !== at)
  if (twin !== undefined) throw invalid(name, `two of its definitions are of the family ${twin}`)
  return { ...found, library, devices }
}

/** A module may wait for ever for something at its top. */
async function tooLate(): Promise<never> {
  await sleep(systemClock, importMs)
  throw new Error(`its code did not end within ${importMs / 1000} s`)
}

/** As Node does: in the `node_modules` of a folder or of one above it. */
function folderOf(name: string, folders: readonly string[]): string {
  if (!packageName.test(name))
    throw new SdkError('BAD_REQUEST', `${JSON.stringify(name)} is neither the name of a package nor an absolute path`)
  for (const start of folders) {
    for (let folder = resolve(start); ; folder = resolve(folder, '..')) {
      const path = join(folder, 'node_modules', name)
      if (isFile(join(path, 'package.json'))) return path
      if (folder === resolve(folder, '..')) break
    }
  }
  throw new SdkError(
    'NOT_FOUND',
    `the package ${name} is not installed where ${folders.join(' or ')} would find it: install it there (npm install --ignore-scripts ${name}), or name its folder`,
  )
}

function manifestOf(path: string): Record<string, unknown> {
  let text: string
  try {
    text = readFileSync(join(path, 'package.json'), 'utf8')
  } catch (cause) {
    throw new SdkError('NOT_FOUND', `there is no package in ${path}: no package.json can be read there`, { cause })
  }
  try {
    const manifest: unknown = JSON.parse(text)
    if (typeof manifest === 'object' && manifest !== null) return manifest as Record<string, unknown>
  } catch {
    // Said below.
  }
  throw invalid(path, 'its package.json is no JSON object')
}

/** Of `exports` what is for `import`, else `main`, else `index.js`. */
function entryOf({ exports, main }: Record<string, unknown>): string {
  const pick = (value: unknown): string | undefined => {
    if (typeof value === 'string') return value
    if (typeof value !== 'object' || value === null) return undefined
    const { '.': dot, import: imported, node, default: otherwise } = value as Record<string, unknown>
    return pick(dot) ?? pick(imported) ?? pick(node) ?? pick(otherwise)
  }
  return pick(exports) ?? (typeof main === 'string' ? main : 'index.js')
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function invalid(name: string, why: string, cause?: unknown): SdkError {
  return new SdkError('LIBRARY_INVALID', `${name} is no library that can be used: ${why}`, { cause })
}
