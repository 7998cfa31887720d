import type { Output } from './output.js'
import type { SiteClient } from './site-client.js'

/** What a command is given: its words, the world it may touch, and how to reach the running site. */
export interface Call {
  readonly args: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
  readonly out: Output
  readonly env: NodeJS.ProcessEnv
  /** Aborts at SIGINT or SIGTERM. */
  readonly signal: AbortSignal
  /** The running site: by --url and MININGSDK_TOKEN, or the one of the configured storage folder. */
  site(): Promise<SiteClient>
}

export interface CliCommand {
  /** Its arguments as commander writes them: `<host>`, `[range...]`; '' for none. */
  readonly usage: string
  readonly summary: string
  readonly options?: readonly (readonly [flags: string, description: string])[]
  /** It handles SIGINT and SIGTERM itself (a running site closes in order). */
  readonly ownSignals?: boolean
  /** Answers the exit code; nothing means 0. */
  run(call: Call): Promise<number | undefined>
}

/** `devices ls` is the entry `ls` of the group `devices`. */
export type CommandGroup = Readonly<Record<string, CliCommand>>

export function text(options: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

export function list(options: Readonly<Record<string, unknown>>, name: string): string[] {
  const value = options[name]
  return Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : []
}
