import { type Board, type Fan, type Pool, SdkError } from '#model'
import { defineDevice, type Evidence, type Match, type Model, type Probe, read } from '../define.js'
import { braiinsModel, braiinsModels, braiinsName } from '../hardware/braiins.js'
import { braiinsGraph, braiinsLogin, braiinsPages, type GraphRequest, graph } from '../kit/braiins.js'
import { rpcVersion } from '../kit/cgminer.js'
import { webPort } from '../kit/http.js'
import { bool, type Fields, fields, isObject, num, rows, str } from '../kit/json.js'
import { isSaid, mayBe, webPage } from '../kit/signs.js'
import { count, defined, macOf, maxParts, mean, temperature } from '../kit/values.js'
import { braiinsGraphCommands } from './braiins-graphql-commands.js'
import { distinct, errorOf, fitted, inOrder, slotOf, thsOfMhs } from './braiins-parts.js'
import { braiinsRestVersion } from './braiins-rest.js'

const halfMinute = 30_000
const minute = 60_000
const tenMinutes = 600_000

const solver = (inner: string) => `{ bosminer { info { workSolver { ${inner} } } } }`
const board = (details: string) =>
  solver(`childSolvers {
    name realHashrate { mhs5S } nominalMhs hwDetails { chips frequencyMhz voltageV ${details} } temperatures { name degreesC }
  }`)

/** The questions; each is one that all versions of its time take (protocols/braiins.md §4). */
const queries = {
  system: `{
    bos { hostname faultLight info { version { full } } uptime { durationS } }
    bosminer { info {
      workSolver { realHashrate { mhs5S } nominalMhs } fans { name speed rpm } summary { power { limitW approxConsumptionW } }
    } }
  }`,
  boards: board('hbSerialNumber'),
  // Before 25.03 a board has no serial, and a question with an unknown field is refused as a whole.
  olderBoards: board(''),
  pools: `{ bosminer {
    info { poolGroups { name pools { url user status active shares { acceptedSolutions rejectedSolutions } } } }
    config { ... on BosminerConfig { groups { id strategy { ... on QuotaStrategy { quota } } } } }
  } }`,
  tuning:
    '{ bosminer { config { ... on BosminerConfig { autotuning { mode powerTarget hashrateTarget } } } info { summary { power { limitW } } } } }',
  about: '{ bosminer { info { modelName } } }',
  events: '{ events { appeals { id kind message timestamp } } }',
} as const

const ask = <T>(query: keyof typeof queries, parse: (data: Fields) => T, options: Parameters<typeof read>[3] = {}) =>
  read(
    braiinsGraph,
    { query: queries[query] } satisfies GraphRequest,
    (reply) => parse(fields(fields(reply).data ?? reply)),
    options,
  )

function parseSystem(data: Fields): Fields {
  if (!isObject(data.bos)) throw new SdkError('DEVICE_BAD_REPLY', 'the reply does not speak of the system')
  return data
}

function parseBoards(data: Fields): Fields[] {
  const { childSolvers } = fields(infoOf(data).workSolver)
  if (infoOf(data).workSolver === null) return []
  if (!Array.isArray(childSolvers)) throw new SdkError('DEVICE_BAD_REPLY', 'the reply holds no boards')
  return rows(childSolvers).slice(0, maxParts)
}

function infoOf(data: Fields): Fields {
  return fields(fields(data.bosminer).info)
}

const reads = {
  system: ask('system', parseSystem),
  boards: ask('boards', parseBoards, { optional: true }),
  olderBoards: ask('olderBoards', parseBoards, { insteadOf: ['boards'] }),
  pools: ask('pools', poolsOf, { everyMs: halfMinute }),
  tuning: ask('tuning', (data) => data, { everyMs: minute, optional: true }),
  about: ask('about', (data) => str(infoOf(data).modelName), { everyMs: tenMinutes, optional: true, lasting: true }),
  events: ask('events', eventsOf, { everyMs: minute, optional: true }),
  lan: read(braiinsPages.protocol, { path: '/cgi-bin/luci/admin/network/iface_status/lan' }, macIn, {
    everyMs: tenMinutes,
    optional: true,
    lasting: true,
  }),
}

function macIn(reply: unknown): string | undefined {
  const [first] = Array.isArray(reply) ? rows(reply) : [fields(reply)]
  return macOf(first?.macaddr)
}

function boardsOf(list: readonly Fields[]): Board[] | undefined {
  const slot = slotOf(list.map(({ name }) => name))
  const boards = list.map((solver): Board => {
    const details = fields(solver.hwDetails)
    const temps = rows(solver.temperatures)
    /** Older versions say `Chip`, newer `MAX_CHIP` or `Max Chip`. */
    const temp = (name: RegExp) => temperature(temps.find((each) => name.test(str(each.name) ?? ''))?.degreesC)
    return {
      slot: slot(solver.name),
      ...defined({
        serial: str(details.hbSerialNumber),
        hashrateThs: thsOfMhs(fields(solver.realHashrate).mhs5S),
        expectedHashrateThs: thsOfMhs(solver.nominalMhs),
        chips: count(details.chips),
        frequencyMhz: num(details.frequencyMhz) || undefined,
        voltageV: num(details.voltageV),
        boardTempC: temp(/board/i),
        chipTempMaxC: temp(/chip/i),
        inletTempC: temp(/inlet/i),
        outletTempC: temp(/outlet/i),
      }),
    }
  })
  return boards.length > 0 ? boards.sort(inOrder) : undefined
}

function fansOf(data: Fields, model: Model): Fan[] {
  const fans = rows(infoOf(data).fans)
    .slice(0, maxParts)
    .map((fan, at) => ({ index: count(fan.name) ?? at, ...defined({ rpm: count(fan.rpm), dutyPct: num(fan.speed) }) }))
  return fitted(fans, model)
}

function poolsOf(data: Fields): Pool[] {
  const { poolGroups } = infoOf(data)
  if (!Array.isArray(poolGroups)) throw new SdkError('DEVICE_BAD_REPLY', 'the reply holds no pools')
  const configured = rows(fields(fields(data.bosminer).config).groups)
  return rows(poolGroups)
    .flatMap((group, at) => {
      const quota = num(fields(configured[at]?.strategy).quota)
      return rows(group.pools).map((pool) => ({ pool, quota }))
    })
    .slice(0, maxParts)
    .map(({ pool, quota }, index) => {
      const status = str(pool.status)
      const shares = fields(pool.shares)
      return {
        index,
        url: str(pool.url) ?? '',
        user: str(pool.user) ?? '',
        ...defined({
          alive: status === undefined ? undefined : /alive|active|running/i.test(status),
          active: bool(pool.active),
          quota,
          accepted: count(shares.acceptedSolutions),
          rejected: count(shares.rejectedSolutions),
        }),
      }
    })
}

function eventsOf(data: Fields) {
  const { appeals } = fields(data.events)
  if (!Array.isArray(appeals)) throw new SdkError('DEVICE_BAD_REPLY', 'the reply holds no events')
  return distinct(
    rows(appeals).map((appeal) =>
      errorOf(str(appeal.message) ?? str(appeal.kind) ?? 'unknown', { code: str(appeal.kind) }),
    ),
  )
}

const total = (pools: readonly Pool[], key: 'accepted' | 'rejected') =>
  pools.reduce<number | undefined>((sum, pool) => (pool[key] == null ? sum : (sum ?? 0) + pool[key]), undefined)

/** Its version and its model, without a login. */
const graphProbe: Probe = {
  name: 'braiins graphql',
  port: webPort,
  when: (seen) => mayBe('braiins')(seen) && typeof seen.answer(braiinsRestVersion) !== 'string',
  run: (io) => graph(io, { query: '{ bos { hostname info { version { full } } } bosminer { info { modelName } } }' }),
}

function match(seen: Evidence): Match | undefined {
  const answer = fields(seen.answer(graphProbe))
  const bos = fields((isObject(answer.data) ? answer.data : answer).bos)
  const firmware = str(fields(fields(bos.info).version).full)
  if (firmware === undefined || !mayBe('braiins')(seen)) return undefined
  return {
    confidence: isSaid(seen, 'braiins') ? 1 : 0.95,
    why: [`its GraphQL interface names Braiins OS ${firmware}`],
    model: braiinsName(str(infoOf(answer).modelName)),
    firmware,
  }
}

/** The mining process was ended: nothing hashes, and nothing of it is told. */
function isStopped({ bosminer }: Fields): boolean {
  return (
    bosminer === null || (isObject(bosminer) && (bosminer.info === null || fields(bosminer.info).workSolver === null))
  )
}

/** Braiins OS 21.09 to 25.05, by its GraphQL interface (protocols/braiins.md §4). */
export const braiinsGraphDevice = defineDevice({
  library: 'miner-braiins',
  kind: 'miner',
  make: 'Bitmain',
  family: 'braiins-graphql',
  mainPort: webPort,
  models: braiinsModels,
  modelOf: braiinsModel,
  identify: { probes: [webPage, rpcVersion, braiinsRestVersion, graphProbe], match },
  reads,
  telemetry(from) {
    const bos = (take: (bos: Fields) => unknown) => from('system', (data) => take(fields(data.bos)) as never)
    const power = (key: string) => from('system', (data) => num(fields(fields(infoOf(data).summary).power)[key]))
    const work = (take: (solver: Fields) => number | undefined) =>
      from('system', (data) => take(fields(infoOf(data).workSolver)))
    return {
      model: from('about', braiinsName),
      firmwareVersion: bos((each) => str(fields(fields(each.info).version).full)),
      mac: from('lan', (mac) => mac),
      hostname: bos((each) => str(each.hostname)),
      led: bos((each) => {
        const on = bool(each.faultLight)
        return on === undefined ? undefined : on ? 'blink' : 'off'
      }),
      hashrateThs: [
        work((each) => thsOfMhs(fields(each.realHashrate).mhs5S)),
        from('system', (data) => (isStopped(data) ? 0 : undefined)),
      ],
      hashrate5sThs: work((each) => thsOfMhs(fields(each.realHashrate).mhs5S)),
      expectedHashrateThs: work((each) => thsOfMhs(each.nominalMhs)),
      powerW: power('approxConsumptionW'),
      powerLimitW: power('limitW'),
      boards: [from('boards', boardsOf), from('olderBoards', boardsOf)],
      fans: from('system', (data, model) => fansOf(data, model)),
      fanDutyPct: from('system', (data, model) => mean(fansOf(data, model).map(({ dutyPct }) => dutyPct ?? undefined))),
      uptimeS: bos((each) => num(fields(each.uptime).durationS)),
      acceptedShares: from('pools', (pools) => total(pools, 'accepted')),
      rejectedShares: from('pools', (pools) => total(pools, 'rejected')),
      pools: from('pools', (pools) => (pools.length > 0 ? pools : undefined)),
      tuning: from('tuning', (data) => {
        const { mode, powerTarget, hashrateTarget } = fields(fields(fields(data.bosminer).config).autotuning)
        const targets = defined({ targetW: num(powerTarget), targetThs: num(hashrateTarget) })
        return str(mode) === undefined ? undefined : { mode: 'custom', ...targets }
      }),
      asleep: from('system', isStopped),
      errors: from('events', (errors) => errors),
    }
  },
  commands: braiinsGraphCommands,
  defaults: { intervalMs: 15_000, timeoutMs: 10_000, credentials: braiinsLogin },
})
