import { randomBytes } from 'node:crypto'
import { SdkError } from '#model'
import type { FleetInfo, RecordLog, RecordState } from '#rpc'
import type { CommandGroup } from '../command.js'
import { ownerOf, ownerOption } from '../owner.js'
import { confirm } from '../prompt.js'
import type { SiteClient } from '../site-client.js'

const yes = ['--yes', 'without asking'] as const
const path = '/api/v1/mesh'

/** Who writes the fleet's record and who signs it: docs/fleet-record.md says when which is needed. */
export const recordCommands: CommandGroup = {
  indexers: {
    usage: '[set] [member...]',
    summary: 'who writes the record and who signs it; `set <member> ...`: these sign from now on, one or three',
    options: [['--yes', 'without asking, and also if those who sign now or then cannot all be reached'], ownerOption],
    async run({ args, options, out, env, site }) {
      const client = await site()
      const { logs } = await stateOf(client)
      const [word, ...names] = args
      if (word === undefined) {
        out.table(logs, [
          { title: 'member', get: (row) => row.name },
          { title: 'signs', get: (row) => (row.signs ? 'yes' : 'no') },
          { title: 'state', get: (row) => (row.connected ? 'connected' : 'away') },
          { title: 'log', get: (row) => row.log },
        ])
        return undefined
      }
      if (word !== 'set' || (names.length !== 1 && names.length !== 3))
        throw new SdkError('BAD_REQUEST', 'one member signs, or three: miningsdk fleet indexers set <member> ...')
      const owner = await ownerOf(options, env, client)
      const chosen = names.map((name) => logNamed(logs, name))
      const who = chosen.map(called).join(', ')
      if (options.yes !== true && !(await confirm(`Have the record signed by ${who} from now on?`))) return undefined
      const keys = chosen.map(({ log }) => log)
      await client.send('PUT', `${path}/indexers`, {
        logs: keys,
        ...(options.yes === true ? { force: true } : {}),
        ...(owner ? { owner: await owner.word({ op: 'setIndexers', logs: keys }) } : {}),
      })
      out.value({ indexers: keys }, `${who} ${chosen.length === 1 ? 'signs' : 'sign'} the record from now on`)
      return undefined
    },
  },
  'drop-writer': {
    usage: '<member>',
    summary: 'a member, or one log of it, writes the record no more; its membership stays',
    options: [yes, ownerOption],
    async run({ args, options, out, env, site }) {
      const client = await site()
      const found = logsNamed((await stateOf(client)).logs, args[0]!)
      const owner = await ownerOf(options, env, client)
      const who = called(found[0]!)
      if (options.yes !== true && !(await confirm(`Let ${who} write the record no more?`))) return undefined
      for (const { log } of found) {
        const word = owner ? { owner: await owner.word({ op: 'removeWriter', log }) } : {}
        await client.send('POST', `${path}/writers/${log}/remove`, word)
      }
      out.value({ dropped: found.map(({ log }) => log) }, `${who} writes the record no more`)
      return undefined
    },
  },
  recover: {
    usage: '<member...>',
    summary: "those who signed the record are lost for good: these sign from now on; needs the owner's key",
    options: [yes, ownerOption],
    async run({ args, options, out, env, site }) {
      const client = await site()
      const owner = await ownerOf(options, env, client)
      if (!owner) throw new SdkError('BAD_REQUEST', 'only the owner of the fleet may: give its key with --owner <file>')
      const { logs, system, length } = await stateOf(client)
      const chosen = args.map((name) => logNamed(logs, name))
      const who = chosen.map(called).join(', ')
      out.note(
        `${logs
          .filter(({ signs }) => signs)
          .map(called)
          .join(', ')} must never come back with the old disk: start what was lost empty, as a new member.`,
      )
      if (options.yes !== true && !(await confirm(`Hand the signing of the record over to ${who}?`))) return undefined
      const fields = { logs: chosen.map(({ log }) => log), system, length }
      const word = await owner.word({ op: 'recover', ...fields })
      await client.send('POST', `${path}/recover`, { ...fields, owner: word })
      out.value({ indexers: fields.logs }, `${who} ${chosen.length === 1 ? 'signs' : 'sign'} the record from now on`)
      return undefined
    },
  },
  'rotate-topic': {
    usage: '',
    summary: 'the members meet elsewhere from now on, where who was put out cannot follow',
    options: [yes, ownerOption],
    async run({ options, out, env, site }) {
      const client = await site()
      const owner = await ownerOf(options, env, client)
      const asked = 'Have the members meet elsewhere? One that is off meanwhile finds them by those it knew.'
      if (options.yes !== true && !(await confirm(asked))) return undefined
      const next = owner && { epoch: (await epochOf(client)) + 1, salt: randomBytes(32).toString('hex') }
      const said = next ? { ...next, owner: await owner!.word({ op: 'rotateTopic', ...next }) } : undefined
      const { epoch } = await client.send<{ epoch: number }>('POST', `${path}/topic`, said ? { said } : {})
      out.value({ epoch }, `The members meet at topic ${epoch} from now on`)
      return undefined
    },
  },
}

const stateOf = (client: SiteClient) => client.get<RecordState>(`${path}/record`)

async function epochOf(client: SiteClient): Promise<number> {
  return (await client.get<{ fleet: FleetInfo | null }>(path)).fleet?.epoch ?? 0
}

const called = ({ name, log }: RecordLog) => name ?? `the log ${log.slice(0, 8)}`

/** The logs of a member by its name or key, or one by its own key. Throws BAD_REQUEST if there is none. */
function logsNamed(logs: readonly RecordLog[], name: string): RecordLog[] {
  const found = logs.filter((one) => [one.log, one.member, one.name].includes(name))
  if (found.length > 0) return found
  const known = logs.map((one) => `${called(one)} (${one.log})`).join(', ')
  throw new SdkError('BAD_REQUEST', `no ${name} writes the record; there are ${known}`)
}

/** Throws BAD_REQUEST if there are several: a member that was installed anew left one behind. */
function logNamed(logs: readonly RecordLog[], name: string): RecordLog {
  const found = logsNamed(logs, name)
  if (found.length === 1) return found[0]!
  const message = `${name} has ${found.length} logs: name one by its key, ${found.map(({ log }) => log).join(' or ')}`
  throw new SdkError('BAD_REQUEST', message)
}
