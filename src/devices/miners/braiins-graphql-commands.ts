import { SdkError } from '#model'
import type { Command, Commands, CommandVisit } from '../define.js'
import { forgetBraiins, graph } from '../kit/braiins.js'
import { fields, num, rows, str } from '../kit/json.js'
import { checkAccount, checkRange } from '../kit/limits.js'
import { settleMs, shown } from '../kit/shown.js'

/** A mutation; where the connection is cut over it, the read-back decides. */
async function mutate(
  { io }: Pick<CommandVisit, 'io'>,
  query: string,
  variables?: Record<string, unknown>,
): Promise<void> {
  try {
    await graph(io, { query, ...(variables ? { variables } : {}) })
  } catch (error) {
    io.signal.throwIfAborted()
    if (!(error instanceof SdkError) || error.code !== 'DEVICE_TIMEOUT') throw error
  }
}

const simple = (query: string) => (_: unknown, visit: CommandVisit) => mutate(visit, query)
const miner = (verb: string) => simple(`mutation { bosminer { ${verb} { __typename } } }`)

const range = '{ bosminer { metadata { autotuning { powerTarget { default min max } } } } }'
const setTarget = `mutation ($watts: Int!) { bosminer { config { updateAutotuning(input: { powerTarget: $watts }, apply: true) {
  __typename ... on AutotuningOut { autotuning { powerTarget enabled } } ... on AutotuningError { message }
} } } }`

const setPowerLimit: Command<'setPowerLimit'> = {
  /** The miner tells its own limits: they are asked for before anything is sent. */
  async run({ watts }, visit) {
    const answer = await graph(visit.io, { query: range }).catch((error: unknown) => {
      if (error instanceof SdkError && ['DEVICE_UNSUPPORTED', 'DEVICE_REFUSED'].includes(error.code)) return undefined
      throw error
    })
    const { min, max } = fields(fields(fields(fields(fields(answer).bosminer).metadata).autotuning).powerTarget)
    const [low, high] = [num(min), num(max)]
    checkRange('target', watts, 'W', low === undefined || high === undefined ? undefined : [low, high])
    await mutate(visit, setTarget, { watts })
  },
  settled: (now, { watts }) => now.tuning?.targetW === watts || now.powerLimitW === watts,
  settleMs: settleMs.setting,
}

const present = '{ bosminer { config { ... on BosminerConfig { groups { name pools { url user password } } } } } }'
const setGroups = `mutation ($groups: [Group!]!) { bosminer { config { updateGroups(groups: $groups) {
  __typename ... on GroupList { groups { id } } ... on GroupListError { message }
} } } }`

const setPools: Command<'setPools'> = {
  /** One group in the place of all; a pool that stays keeps its password. The mining process restarts with them. */
  async run({ pools }, visit) {
    const data = await graph(visit.io, { query: present }).catch((error: unknown) => {
      if (error instanceof SdkError && ['DEVICE_UNSUPPORTED', 'DEVICE_REFUSED'].includes(error.code)) return undefined
      throw error
    })
    const groups = rows(fields(fields(fields(data).bosminer).config).groups)
    const known = groups.flatMap((group) => rows(group.pools))
    const keep = (url: string, user: string) =>
      str(known.find((pool) => str(pool.url) === url && str(pool.user) === user)?.password)
    const list = pools.map(({ url, user, password }) => ({ url, user, password: password ?? keep(url, user) ?? '' }))
    await mutate(visit, setGroups, { groups: [{ name: str(groups[0]?.name) ?? 'Default', quota: 1, pools: list }] })
    await mutate(visit, 'mutation { bosminer { restart { __typename } } }')
  },
  ...shown.setPools,
}

const setPassword: Command<'setPassword'> = {
  check({ account }) {
    checkAccount(account, 'root')
  },
  async run({ password }, visit) {
    await mutate(visit, 'mutation ($p: String!) { bos { setPassword(newPassword: $p) { __typename } } }', {
      p: password,
    })
    forgetBraiins(visit.io)
    return { next: 'set the new password as the credentials of this device' }
  },
  settleMs: 0,
}

const maxLog = 256 * 1024

const getLogs: Command<'getLogs'> = {
  async run(_, { io }) {
    const { log } = fields(fields(await graph(io, { query: '{ bos { log(target: BOSMINER) } }' })).bos)
    const text = Array.isArray(log) ? log.map(String).join('\n') : (str(log) ?? '')
    return { log: text.slice(-maxLog), complete: text.length <= maxLog }
  },
  settleMs: 0,
}

/** 21.09 to 25.05: sleep ends the mining process, waking starts it. */
export const braiinsGraphCommands: Commands = {
  reboot: { run: simple('mutation { bos { reboot { __typename } } }'), ...shown.reboot },
  restartMiner: { run: miner('restart'), settleMs: 0 },
  suspend: { run: miner('stop'), ...shown.suspend },
  resume: { run: miner('start'), ...shown.resume },
  setPowerLimit,
  setPools,
  setLed: {
    run: ({ on }, visit) =>
      mutate(visit, 'mutation ($on: Boolean!) { bos { setFaultLight(enable: $on) { enabled } } }', { on }),
    ...shown.setLed,
  },
  setPassword,
  getLogs,
  factoryReset: { run: simple('mutation { bos { factoryReset { __typename } } }'), settleMs: 0 },
}
