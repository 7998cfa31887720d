import { SdkError, systemClock } from '#model'
import { type CliCommand, text } from '../command.js'
import { storageOf } from '../settings.js'
import { machineName, networkHelp, networkOf } from './fleet.js'
import { runSite } from './start.js'

const keeps = ['live', '7d', 'all']
const defaultPort = 3000
/** What another program's environment may say of a site is not meant for a monitor, which is none. */
const siteOnly = ['MININGSDK_MODE', 'MININGSDK_SERVICE', 'MININGSDK_SITE']

export const monitor: CliCommand = {
  usage: '[code]',
  summary:
    'see a fleet from here, also while its sites are away; commands nothing. The code of `invite --role monitor` once',
  options: [
    ['--keep <how much>', 'of the history, before anybody asks for it: live, 7d or all (default live)'],
    ['--name <name>', 'how it is called in the fleet (default: the name of the machine)'],
    ['--network <dht>', `${networkHelp} (default: as the code says)`],
    ['--port <n>', 'of its page, for this machine alone (default 3000, else the next free one)'],
  ],
  ownSignals: true,
  async run(call) {
    const { args, options, env, out } = call
    const [{ memberOf, readConfig, refuseOthers, siteOf }, { kinds }, { secretFromStdin }] = await Promise.all([
      import('#node'),
      import('../site.js'),
      import('../prompt.js'),
    ])
    const keep = text(options, 'keep') ?? 'live'
    if (!keeps.includes(keep)) throw new SdkError('BAD_REQUEST', `--keep takes ${keeps.join(', ')}, not ${keep}`)
    const network = networkOf(text(options, 'network'))
    if (network === 'local')
      throw new SdkError('BAD_REQUEST', 'the code of a fleet of this machine says where it is: leave --network out')
    const storage = await storageOf(env)
    const code = args[0] === '-' ? await secretFromStdin() : args[0]
    const member = await memberOf({
      storage,
      name: text(options, 'name') ?? machineName(),
      clock: systemClock,
      ...(code === undefined ? {} : { invite: code }),
      ...(network ? { bootstrap: network } : {}),
    })
    refuseOthers(storage, member.grant)
    const port = text(options, 'port')
    const document = {
      site: siteOf(member),
      storage,
      services: [
        { name: 'gateway', port: Number(port ?? defaultPort), portFallback: port === undefined, readOnly: true },
        { name: 'monitor', role: 'monitor', keep },
      ],
    }
    const own = Object.fromEntries(Object.entries(env).filter(([name]) => !siteOnly.includes(name)))
    const config = readConfig(document, { env: { ...own, MININGSDK_STORAGE: storage }, kinds })
    out.note(`Monitor of the fleet ${member.membership.name}: reads and keeps ${keep}, commands nothing`)
    return runSite({ config, demo: false }, { ...call, env: own })
  },
}
