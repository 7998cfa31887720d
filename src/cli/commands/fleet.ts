import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { SdkError, silentLog, systemClock } from '#model'
import type { FleetInfo, Peer } from '#rpc'
import { type CliCommand, type CommandGroup, text } from '../command.js'
import { age } from '../output.js'
import { storageOf } from '../settings.js'
import { recordCommands } from './record.js'

export const networkHelp =
  'where its members find each other: public, local (this machine alone), or host:port,... of a DHT of your own'

/** A name as the network wants it, out of whatever the machine is called. */
export const machineName = () =>
  hostname()
    .replace(/[^A-Za-z0-9_-]/g, '-')
    .slice(0, 63) || 'node'

export const fleet: CommandGroup = {
  create: {
    usage: '',
    summary: "make a fleet: its owner's key, and this node as its first aggregator",
    options: [
      ['--name <name>', 'what it is called (default: the name of the site)'],
      ['--member <name>', 'how this node is called in it (default: the name of the machine)'],
      ['--network <dht>', `${networkHelp} (default public)`],
      [
        '--owner-key <file>',
        "where the owner's key is made; keep it offline (default owner.key in the storage folder)",
      ],
    ],
    async run({ options, out, env }) {
      const [{ createFleet, lockFolder }, { loadSettings }, { fingerprintOf, ownerFile }] = await Promise.all([
        import('#node'),
        import('../settings.js'),
        import('#keys'),
      ])
      const { config } = await loadSettings(env)
      const file = text(options, 'ownerKey')
      const owner = file ? resolve(file) : join(config.storage, ownerFile)
      const passphrase = env.MININGSDK_PASSPHRASE
      const unlock = await lockFolder(config.storage)
      const made = await createFleet({
        storage: config.storage,
        name: text(options, 'name') ?? config.site,
        member: text(options, 'member') ?? machineName(),
        bootstrap: networkOf(text(options, 'network')) ?? config.network.bootstrap ?? 'public',
        ownerFile: owner,
        ...(passphrase ? { passphrase } : {}),
        clock: systemClock,
        log: silentLog,
      }).finally(unlock)
      out.value(
        { fleet: made.fleet, name: made.name, ownerKey: owner },
        [
          `The fleet ${made.name} (${fingerprintOf(made.fleet)}) is made, and this node is its first aggregator.`,
          `The owner's key lies in ${owner}${passphrase ? '' : ', not sealed (set MININGSDK_PASSPHRASE to seal it)'}: move it to a safe place that is not online.`,
          'Start the site, then invite others: miningsdk invite --role worker --site <site>',
        ].join('\n'),
      )
      return undefined
    },
  },
  'trust-copy': {
    usage: '',
    summary: 'let a record that was restored or lost power write without a peer; only if no other copy is newer',
    options: [['--yes', 'without asking']],
    async run({ options, out, env }) {
      const [{ lockFolder, trustRecordCopy }, { confirm }] = await Promise.all([
        import('#node'),
        import('../prompt.js'),
      ])
      const storage = await storageOf(env)
      out.note(
        'If any other node of the fleet has seen more of what this one wrote, the record breaks for good: this one then writes other\nwords in the place of those that are known. Rather start another aggregator, and this one catches up with it by itself.',
      )
      if (options.yes !== true && !(await confirm('Is there no other node that was connected with this one?')))
        return undefined
      const unlock = await lockFolder(storage)
      const wasInDoubt = await trustRecordCopy(storage, { clock: systemClock, log: silentLog }).finally(unlock)
      out.value(
        { trusted: wasInDoubt },
        wasInDoubt
          ? 'This copy is trusted: it may write. Start it: miningsdk start'
          : 'This copy is in no doubt; nothing was changed.',
      )
      return undefined
    },
  },
  ...recordCommands,
  show: {
    usage: '',
    summary: 'the fleet this site belongs to, and the peers it is connected with',
    async run({ out, site }) {
      const { fleet: info, peers } = await (await site()).get<{ fleet: FleetInfo | null; peers: Peer[] }>(
        '/api/v1/mesh',
      )
      if (!info) throw new SdkError('NOT_FOUND', 'this site belongs to no fleet; make one: miningsdk fleet create')
      out.value({ fleet: info, peers }, shown(info, peers))
      return undefined
    },
  },
}

function shown(info: FleetInfo, peers: Peer[]): string {
  const refused = Object.entries(info.refusals).filter(([, count]) => count > 0)
  return [
    `fleet       ${info.name}  ${info.fleet}`,
    `this node   ${info.role}  ${info.key}`,
    `record      ${info.currentAt === null ? 'no copy yet' : `current ${age(info.currentAt)} ago`}, ${info.members} members, ${info.services} services, topic ${info.epoch}`,
    `peers       ${peers.length}: ${peers.map(peerText).join(', ') || 'none'}`,
    `refused     ${refused.map(([reason, count]) => `${count} ${reason}`).join(', ') || 'nothing'}`,
  ].join('\n')
}

function peerText({ name, fingerprint, relayed, rttMs }: Peer): string {
  return `${name ?? fingerprint} (${relayed ? 'relayed' : 'direct'}${rttMs === null ? '' : `, ${rttMs.toFixed(1)} ms`})`
}

export const joining: CliCommand = {
  usage: '<code>',
  summary: 'join the fleet that the code invites to; the code comes from `miningsdk invite`, or from stdin as -',
  options: [
    ['--name <name>', 'how this node is called in the fleet (default: the name of the machine)'],
    ['--network <dht>', `${networkHelp} (default: as the code says)`],
  ],
  async run({ args, options, out, env }) {
    const [{ joinFleet, lockFolder }, { fingerprintOf }, { secretFromStdin }] = await Promise.all([
      import('#node'),
      import('#keys'),
      import('../prompt.js'),
    ])
    const code = args[0] === '-' ? await secretFromStdin() : args[0]!
    const network = networkOf(text(options, 'network'))
    if (network === 'local')
      throw new SdkError('BAD_REQUEST', 'the code of a fleet of this machine says where it is: leave --network out')
    const storage = await storageOf(env)
    const unlock = await lockFolder(storage)
    const joined = await joinFleet({
      storage,
      code,
      name: text(options, 'name') ?? machineName(),
      ...(network ? { bootstrap: network } : {}),
      clock: systemClock,
    }).finally(unlock)
    out.value(
      { fleet: joined.fleet, name: joined.name },
      `This node is a member of ${joined.name} (${fingerprintOf(joined.fleet)}) now. Start it: miningsdk start`,
    )
    return undefined
  },
}

/** undefined: as the code, or the configuration, says. */
export function networkOf(given: string | undefined): 'public' | 'local' | string[] | undefined {
  if (given === undefined || given === 'public' || given === 'local') return given
  return given.split(',').map((address) => address.trim())
}
