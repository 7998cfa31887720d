import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { SiteConfig } from '#node'

export interface Settings {
  readonly config: SiteConfig
  /** True if nothing is configured, or the demo was asked for: the site of simulated devices. */
  readonly demo: boolean
}

/** What is configured; without a file an empty site that the demo fills. Throws CONFIG_INVALID with everything that is wrong at once. */
export async function loadSettings(env: NodeJS.ProcessEnv): Promise<Settings> {
  const [{ loadConfig, readConfig }, { kinds }] = await Promise.all([import('#node'), import('./site.js')])
  const config = await loadConfig({ env, kinds })
  if (config) return { config, demo: false }
  return { config: readConfig({ site: 'demo' }, { env, kinds }), demo: true }
}

export const configFile = 'miningsdk.config.json'

/** Whether anybody configured anything, known before the configuration is read: a demo site can start its devices meanwhile. */
export function isConfigured(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env.MININGSDK_CONFIG) || existsSync(configFile)
}

/** The storage folder, for commands that talk to a running site. */
export async function storageOf(env: NodeJS.ProcessEnv): Promise<string> {
  if (env.MININGSDK_STORAGE) return resolve(env.MININGSDK_STORAGE)
  return (await loadSettings(env)).config.storage
}
