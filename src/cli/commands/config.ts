import type { CommandGroup } from '../command.js'
import { loadSettings } from '../settings.js'

export const config: CommandGroup = {
  print: {
    usage: '',
    summary: 'the configuration with all defaults, as it will run',
    async run({ env, out }) {
      const [{ config }, { effectiveConfig }, { withIntervals }] = await Promise.all([
        loadSettings(env),
        import('#node'),
        import('../site.js'),
      ])
      out.line(JSON.stringify(effectiveConfig(withIntervals(config)), null, 2))
    },
  },
  check: {
    usage: '',
    summary: 'check the configuration; exit 2 with every problem if it is not valid',
    async run({ env, out }) {
      const { config, demo } = await loadSettings(env)
      const text = !demo
        ? `${config.file} is valid: site ${config.site}, ${config.services.length} services`
        : 'no configuration file: the demo site runs'
      out.value({ valid: true, file: config.file, site: config.site, services: config.services.length }, text)
    },
  },
}
