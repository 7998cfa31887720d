import type { Problem } from '#model'
import { type LogLevel, logLevels } from './log.js'
import { hostPortPattern } from './names.js'
import { didYouMean } from './problems.js'

/** The only module that reads the environment. */
export type Env = Readonly<Record<string, string | undefined>>

export const modes = ['single', 'microservices'] as const
export type Mode = (typeof modes)[number]

export type Bootstrap = 'local' | 'public' | readonly string[]

/** What the environment sets; each overrides the file. A variable that is empty is not set. */
export interface Environment {
  readonly MININGSDK_CONFIG?: string
  readonly MININGSDK_MODE?: Mode
  readonly MININGSDK_SERVICE?: string
  readonly MININGSDK_STORAGE?: string
  readonly MININGSDK_SITE?: string
  readonly MININGSDK_HTTP_HOST?: string
  readonly MININGSDK_HTTP_PORT?: number
  readonly MININGSDK_BOOTSTRAP?: Bootstrap
  readonly MININGSDK_LOG_LEVEL?: LogLevel
}

type Name = keyof Environment

/** What a variable must be, and how its text is read; undefined: it is something else. */
interface Reader<T> {
  readonly wanted: string
  read(text: string): T | undefined
}

const anyText: Reader<string> = { wanted: 'a text', read: (text) => text }

const readers: { [N in Name]: Reader<NonNullable<Environment[N]>> } = {
  MININGSDK_CONFIG: anyText,
  MININGSDK_MODE: oneOf(modes),
  MININGSDK_SERVICE: anyText,
  MININGSDK_STORAGE: anyText,
  MININGSDK_SITE: anyText,
  MININGSDK_HTTP_HOST: anyText,
  MININGSDK_HTTP_PORT: {
    wanted: 'a port, 0 to 65535',
    read: (text) => (/^\d{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined),
  },
  MININGSDK_BOOTSTRAP: {
    wanted: 'local, public or host:port, separated by commas',
    read(text) {
      if (text === 'local' || text === 'public') return text
      const hosts = text.split(',').map((host) => host.trim())
      return hosts.every((host) => new RegExp(hostPortPattern).test(host)) ? hosts : undefined
    },
  },
  MININGSDK_LOG_LEVEL: oneOf(logLevels),
}

function oneOf<T extends string>(values: readonly T[]): Reader<T> {
  return { wanted: `one of ${values.join(', ')}`, read: (text) => values.find((value) => value === text) }
}

/** The variables that are ours, read, and what is wrong with them. */
export function readEnvironment(env: Env = process.env): { environment: Environment; problems: Problem[] } {
  const problems: Problem[] = []
  const found: Partial<Record<Name, unknown>> = {}
  for (const [name, { wanted, read }] of Object.entries(readers) as [Name, Reader<unknown>][]) {
    const text = env[name]?.trim()
    if (!text) continue
    found[name] = read(text)
    if (found[name] === undefined)
      problems.push({ path: name, message: `must be ${wanted}, is ${JSON.stringify(text.slice(0, 40))}` })
  }
  return { environment: found as Environment, problems }
}

/** Variables that look like ours and are not: said, not refused, for orchestrators invent names of their own. */
export function strangers(env: Env = process.env): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('MININGSDK_') && !Object.hasOwn(readers, name))
    .map((name) => ({ name, hint: didYouMean(name, Object.keys(readers)) }))
    .filter(({ hint }) => hint !== '')
    .map(({ name, hint }) => `${name} is no variable of ours${hint}`)
}

/** The level that MININGSDK_LOG_LEVEL asks for; `info` if it says nothing that we know. */
export function logLevelOf(env: Env = process.env): LogLevel {
  return readEnvironment(env).environment.MININGSDK_LOG_LEVEL ?? 'info'
}

/** A secret of the configuration, looked up only now: as it stands, or from the variable it names; undefined if that is not set. */
export function secretOf(secret: string | { readonly env: string }, env: Env = process.env): string | undefined {
  return typeof secret === 'string' ? secret : env[secret.env] || undefined
}
