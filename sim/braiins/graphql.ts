import type { HttpCall, HttpReply } from '../http.js'
import { asFields, type Fields, parseObject, round } from '../json.js'
import type { BraiinsState } from './state.js'

/** The GraphQL interface: it knows the questions by what they ask for, not by their grammar. */

type Answer = (state: BraiinsState, variables: Fields) => unknown

const mhs = (ths: number) => ths * 1e6

function system(state: BraiinsState) {
  const reading = state.read()
  const fans = reading.fansRpm.map((rpm, index) => ({ name: String(index), rpm, speed: round((rpm / 6600) * 100) }))
  const solver = { realHashrate: { mhs5S: mhs(reading.rateThs) }, nominalMhs: mhs(reading.targetThs) }
  return {
    bos: {
      hostname: state.machine.hostname,
      faultLight: state.locate,
      info: { version: { full: state.row.version } },
      uptime: { durationS: Math.floor(reading.uptimeS) },
    },
    bosminer: {
      info: {
        modelName: state.model,
        workSolver: state.isOn ? solver : null,
        fans,
        summary: { power: { limitW: state.targetW, approxConsumptionW: round(reading.powerW) } },
      },
    },
  }
}

function boards(state: BraiinsState) {
  const { row, machine } = state
  const reading = state.read()
  const childSolvers = reading.boards.map((board) => ({
    name: String(board.slot + 1),
    realHashrate: { mhs5S: mhs(board.rateThs) },
    nominalMhs: mhs(reading.targetThs / row.boards),
    hwDetails: {
      chips: board.chips,
      frequencyMhz: reading.frequencyMhz,
      voltageV: 13.2,
      hbSerialNumber: machine.boardSerials[board.slot],
    },
    temperatures: [
      { name: 'MAX_BOARD', degreesC: round(board.boardC, 2) },
      { name: 'MAX_CHIP', degreesC: round(board.chipMaxC, 2) },
      { name: 'INLET', degreesC: round(reading.inletC, 2) },
      { name: 'OUTLET', degreesC: round(reading.outletC, 2) },
    ],
  }))
  return { bosminer: { info: { workSolver: state.isOn ? { childSolvers } : null } } }
}

function pools({ machine }: BraiinsState) {
  const list = machine.pools.read().map((pool) => ({
    url: pool.url,
    user: pool.user,
    status: pool.alive ? 'ALIVE' : 'DEAD',
    active: pool.active,
    shares: { acceptedSolutions: pool.accepted, rejectedSolutions: pool.rejected },
  }))
  return {
    bosminer: {
      info: { poolGroups: [{ name: 'Default', pools: list }] },
      config: { groups: [{ id: '0', strategy: { quota: 1 } }] },
    },
  }
}

const config = ({ machine }: BraiinsState) => ({
  bosminer: {
    config: {
      groups: [
        {
          name: 'Default',
          pools: machine.pools.entries.map(({ url, user, pass }) => ({ url, user, password: pass })),
        },
      ],
    },
  },
})

const tuning = ({ targetW }: BraiinsState) => ({
  bosminer: { config: { autotuning: { mode: 'POWER_TARGET', powerTarget: targetW, hashrateTarget: null } } },
})

const done = { __typename: 'VoidResult' }
const failed = (message: string) => ({ __typename: 'BosminerError', message })

const mutations: readonly (readonly [RegExp, Answer])[] = [
  [
    /setFaultLight/,
    (state, { on }) => {
      state.locate = on === true
      return { bos: { setFaultLight: { enabled: state.locate } } }
    },
  ],
  [
    /bos \{ reboot/,
    (state) => {
      state.machine.reboot()
      return undefined
    },
  ],
  [
    /bos \{ factoryReset/,
    (state) => {
      state.factoryReset()
      return undefined
    },
  ],
  [
    /setPassword/,
    (state, { p }) => {
      state.password = String(p)
      return { bos: { setPassword: done } }
    },
  ],
  [
    /bosminer \{ (start|stop)/,
    (state) => {
      state.sleep(state.isOn)
      return { bosminer: { run: done } }
    },
  ],
  [
    /bosminer \{ restart/,
    (state) => {
      state.machine.restart()
      return { bosminer: { restart: done } }
    },
  ],
  [
    /updateAutotuning/,
    (state, { watts }) => ({
      bosminer: {
        config: {
          updateAutotuning: state.setTarget(Number(watts)) ? { __typename: 'AutotuningOut' } : failed('out of range'),
        },
      },
    }),
  ],
  [
    /updateGroups/,
    (state, { groups }) => {
      const group = asFields(Array.isArray(groups) ? groups[0] : undefined)
      const list = (Array.isArray(group?.pools) ? group.pools : []).map(asFields).map((pool) => ({
        url: String(pool?.url ?? ''),
        user: String(pool?.user ?? ''),
        pass: String(pool?.password ?? ''),
      }))
      return {
        bosminer: { config: { updateGroups: state.setPools(list) ? { __typename: 'GroupList' } : failed('bad pool') } },
      }
    },
  ],
]

const questions: readonly (readonly [RegExp, Answer])[] = [
  [/childSolvers/, boards],
  [/poolGroups/, pools],
  [
    /metadata/,
    ({ row }) => ({
      bosminer: { metadata: { autotuning: { powerTarget: { default: row.targetW.max, ...row.targetW } } } },
    }),
  ],
  [/groups \{ name pools/, config],
  [/autotuning/, tuning],
  [/appeals/, () => ({ events: { appeals: [] } })],
  [/log\(target/, () => ({ bos: { log: ['simulated log line'] } })],
  [/modelName|faultLight/, system],
]

const needsLogin = /^\s*mutation|log\(target|password/

export function graphPage(state: BraiinsState, { headers, body }: HttpCall): HttpReply {
  const request = parseObject(body.toString('utf8')) ?? {}
  const query = String(request.query ?? '').replace(/\s+/g, ' ')
  const variables = asFields(request.variables) ?? {}
  if (query.includes('login(')) {
    if (variables.u !== 'root' || variables.p !== state.password)
      return { json: { data: { auth: { login: failed('denied') } } } }
    const session = { 'set-cookie': `session_id=${state.token}; Path=/; HttpOnly` }
    return { json: { data: { auth: { login: done } } }, headers: session }
  }
  const isIn = headers.cookie?.includes(state.token) === true
  if (needsLogin.test(query) && !isIn) return { json: { data: null, errors: [{ message: 'Login is required' }] } }
  const isChange = /^\s*mutation/.test(query)
  if (isChange && state.machine.has('refusedWrite'))
    return { json: { data: { bosminer: { config: failed('refused') } } } }
  const answer = (isChange ? mutations : questions).find(([pattern]) => pattern.test(query))?.[1]
  if (!answer) return { json: { data: null, errors: [{ message: 'Unknown field in the question' }] } }
  const data = answer(state, variables)
  return data === undefined ? { cut: true } : { json: { data } }
}
