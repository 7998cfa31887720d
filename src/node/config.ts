import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type Problem, redact, SdkError, type Static, Type } from '#model'
import { fillDefaults } from './defaults.js'
import { type ConfigKind, entrySchema, ownKeys, readEntry, type ServiceEntry, twins } from './entries.js'
import {
  type Bootstrap,
  type Env,
  type Environment,
  type Mode,
  modes,
  readEnvironment,
  strangers,
} from './environment.js'
import { findFault } from './json.js'
import { hostPortPattern, NameSchema } from './names.js'
import { explain } from './problems.js'

export const configFileName = 'miningsdk.config.json'
const maxFileBytes = 64 * 1024 * 1024
const maxProblemsShown = 50

/** The configuration as it is in force: file, defaults and environment together. */
export interface SiteConfig {
  /** null: none, the document came from elsewhere. */
  readonly file: string | null
  readonly site: string
  readonly mode: Mode
  readonly runtime: Runtime
  /** Absolute. */
  readonly storage: string
  readonly network: NetworkConfig
  readonly services: readonly ServiceEntry[]
  /** Run only this service in this process. Not checked here: a site has services of its own besides those that are listed. */
  readonly only: string | null
  /** Worth a line in the log, not worth a refusal. */
  readonly warnings: readonly string[]
}

export interface NetworkConfig {
  /** null: as the fleet was made; without a fleet `local`. */
  readonly bootstrap: Bootstrap | null
  /** The site's own DHT beside it, for when the way out is cut; null: none, but of this machine where it runs several processes. */
  readonly site: readonly string[] | null
  /** The UDP port to bind; null: any free one. */
  readonly port: number | null
  /** The address to bind; null: all, or loopback where the DHT is local. */
  readonly host: string | null
  /** Whether this node passes on between members that find no direct way; it needs an address that all can reach. */
  readonly relay: boolean
  /** A copy of the fleet's record that is older is trusted for reading only, hours. */
  readonly trustRecordHours: number
}

export const runtimes = ['process', 'pm2', 'docker', 'kubernetes', 'systemd'] as const
export type Runtime = (typeof runtimes)[number]

const literals = <T extends string>(values: readonly T[]) => Type.Union(values.map((value) => Type.Literal(value)))
const strict = { additionalProperties: false } as const

const BootstrapSchema = Type.Union([
  Type.Literal('local'),
  Type.Literal('public'),
  Type.Array(Type.String({ pattern: hostPortPattern }), { maxItems: 64 }),
])

const DocumentSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    site: Type.Optional(Type.Unsafe<string>({ ...NameSchema, default: 'home' })),
    mode: Type.Optional(Type.Union(literals(modes).anyOf, { default: 'single' })),
    runtime: Type.Optional(Type.Union(literals(runtimes).anyOf, { default: 'process' })),
    storage: Type.Optional(Type.String({ minLength: 1, default: './data' })),
    network: Type.Optional(
      Type.Object(
        {
          bootstrap: Type.Optional(BootstrapSchema),
          site: Type.Optional(Type.Array(Type.String({ pattern: hostPortPattern }), { minItems: 1, maxItems: 64 })),
          port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535 })),
          host: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
          relay: Type.Optional(Type.Boolean({ default: false })),
          trustRecordHours: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 87_600, default: 168 })),
        },
        { ...strict, default: {} },
      ),
    ),
    services: Type.Optional(Type.Array(Type.Object({}), { maxItems: 1000, default: [] })),
  },
  strict,
)
type Document = Required<Static<typeof DocumentSchema>>

interface Source {
  readonly env?: Env
  readonly kinds: readonly ConfigKind[]
}

/**
 * The configuration that is in force: the file given, else that of MININGSDK_CONFIG, else `miningsdk.config.json` in the working folder;
 * undefined if nobody named one and there is none there. Throws CONFIG_INVALID with everything that is wrong at once.
 */
export async function loadConfig(source: Source & { file?: string; cwd?: string }): Promise<SiteConfig | undefined> {
  const cwd = source.cwd ?? process.cwd()
  const named = source.file ?? readEnvironment(source.env).environment.MININGSDK_CONFIG
  const file = resolve(cwd, named ?? configFileName)
  const text = await readText(file, named !== undefined)
  if (text === undefined) return undefined
  const fault = findFault(text)
  if (fault) throw invalid(file, [{ path: `line ${fault.line}, column ${fault.column}`, message: fault.message }])
  return readConfig(JSON.parse(text), { ...source, file, cwd })
}

/** The same for a document from elsewhere, such as the demo site's. Relative paths are those of the file, or of the working folder. */
export function readConfig(
  document: unknown,
  { env, kinds, file, cwd = process.cwd() }: Source & { file?: string; cwd?: string },
): SiteConfig {
  const { environment, problems } = readEnvironment(env)
  const full = fillDefaults(DocumentSchema, document) as Document
  const given: unknown = full?.services
  const entries: readonly unknown[] = Array.isArray(given) ? given : []
  const read = entries.map((entry, index) => readEntry(entry, index, kinds))
  const found = [
    ...problems,
    ...explain(DocumentSchema, full).filter(({ path }) => !path.startsWith('services[')),
    ...read.flatMap((one) => one.problems),
    ...twins(entries),
    ...environmentProblems(environment, read.filter(({ service }) => service?.kind === gatewayKind).length),
  ]
  if (found.length > 0) throw invalid(file ?? 'the configuration', found)

  return {
    file: file ?? null,
    site: environment.MININGSDK_SITE ?? full.site,
    mode: environment.MININGSDK_MODE ?? full.mode,
    runtime: full.runtime,
    storage: environment.MININGSDK_STORAGE
      ? resolve(cwd, environment.MININGSDK_STORAGE)
      : resolve(file ? dirname(file) : cwd, full.storage),
    network: networkOf(full.network, environment),
    services: read.flatMap(({ service }) => (service ? withHttp(service, environment) : [])),
    only: environment.MININGSDK_SERVICE ?? null,
    warnings: strangers(env),
  }
}

/** The configuration as a document again, all defaults in it, passwords removed; the name of a variable is no secret and stays. */
export function effectiveConfig({
  site,
  mode,
  runtime,
  storage,
  network,
  services,
}: SiteConfig): Record<string, unknown> {
  return {
    site,
    mode,
    runtime,
    storage,
    network: withoutNulls(network),
    services: services.map(({ name, maxMemoryMb, config }) => ({
      name,
      maxMemoryMb,
      ...(hideSecrets(config) as object),
    })),
  }
}

/** JSON Schema of the file, for editors. */
export function configJsonSchema(kinds: readonly ConfigKind[]): Record<string, unknown> {
  const { properties, ...rest } = JSON.parse(JSON.stringify(DocumentSchema))
  const entries = kinds.map(({ kind, schema, rules }) => ({
    title: kind,
    ...JSON.parse(JSON.stringify(entrySchema(schema))),
    required: ['name', ...ownKeys(schema)],
    ...(rules?.length ? { allOf: rules } : {}),
  }))
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'MiningSDK configuration',
    ...rest,
    properties: { ...properties, services: { ...properties.services, items: { anyOf: entries } } },
  }
}

async function readText(file: string, mustExist: boolean): Promise<string | undefined> {
  try {
    const text = await readFile(file, 'utf8')
    if (text.length > maxFileBytes) throw new Error(`is larger than ${maxFileBytes} bytes`)
    return text.replace(/^\uFEFF/, '')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw invalid(file, [{ path: '', message: `cannot be read: ${(error as Error).message}` }])
    if (mustExist) throw invalid(file, [{ path: '', message: 'there is no such file' }])
    return undefined
  }
}

function networkOf(given: Document['network'], { MININGSDK_BOOTSTRAP: bootstrap }: Environment): NetworkConfig {
  const { site = null, port = null, host = null, relay = false, trustRecordHours = 168 } = given
  return {
    bootstrap: bootstrap ?? (given.bootstrap as Bootstrap | undefined) ?? null,
    site,
    port,
    host,
    relay,
    trustRecordHours,
  }
}

/** What is not set has no key: null is no value of the file. */
function withoutNulls(value: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null))
}

function environmentProblems(environment: Environment, gateways: number): Problem[] {
  const problems: Problem[] = []
  const { MININGSDK_SERVICE: only, MININGSDK_SITE: site, MININGSDK_HTTP_PORT: port } = environment
  if (port !== undefined && only === undefined && gateways > 1) {
    problems.push({ path: 'MININGSDK_HTTP_PORT', message: `is one port for ${gateways} gateways` })
  }
  if (site !== undefined) problems.push(...explain(NameSchema, site, ['MININGSDK_SITE']))
  return problems
}

const gatewayKind = 'gateway'

function withHttp(
  entry: ServiceEntry,
  { MININGSDK_HTTP_HOST: host, MININGSDK_HTTP_PORT: port, MININGSDK_SERVICE: only }: Environment,
): ServiceEntry {
  if (entry.kind !== gatewayKind || (only !== undefined && only !== entry.name)) return entry
  return {
    ...entry,
    config: { ...entry.config, ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) },
  }
}

function hideSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hideSecrets)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const scalar = inner === null || typeof inner !== 'object'
      return [key, scalar ? (redact({ [key]: inner }) as Record<string, unknown>)[key] : hideSecrets(inner)]
    }),
  )
}

function invalid(file: string, problems: readonly Problem[]): SdkError {
  const lines = problems.slice(0, maxProblemsShown).map(({ path, message }) => (path ? `${path}: ${message}` : message))
  if (problems.length > lines.length) lines.push(`and ${problems.length - lines.length} more`)
  const text =
    lines.length === 1
      ? `${file}: ${lines[0]}`
      : `${file}: ${problems.length} problems\n${lines.map((line) => `  ${line}`).join('\n')}`
  return new SdkError('CONFIG_INVALID', text, { details: { file, problems } })
}
