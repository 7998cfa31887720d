import { resolve } from 'node:path'
import type { SiteConfig } from '#node'

export interface Settings {
  readonly config: SiteConfig
  /** True if nothing is configured, or the demo was asked for: the site of simulated devices. */
  readonly demo: boolean
}

/** What is configured; without a file an empty site that the demo fills. Throws CONFIG_INVALID with everything that is wrong at once. */
export async function loadSettings(env: NodeJS.ProcessEnv, options: { demo?: boolean } = {}): Promise<Settings> {
  const [{ loadConfig, readConfig }, { kinds }] = await Promise.all([import('#node'), import('./site.js')])
  const config = options.demo ? undefined : await loadConfig({ env, kinds })
  if (config) return { config, demo: false }
  return { config: readConfig({ site: 'demo' }, { env, kinds }), demo: true }
}

/** The storage folder, for commands that talk to a running site. */
export async function storageOf(env: NodeJS.ProcessEnv): Promise<string> {
  if (env.MININGSDK_STORAGE) return resolve(env.MININGSDK_STORAGE)
  return (await loadSettings(env)).config.storage
}
