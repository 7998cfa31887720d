import type { HttpCall, HttpReply } from '../http.js'
import { asFields, type Fields, round } from '../json.js'
import { sharesOf } from '../pools.js'
import type { BraiinsState } from './state.js'

type Page = (state: BraiinsState, body: unknown) => HttpReply

const rate = (ths: number) => ({ gigahash_per_second: ths * 1000 })
const json =
  (value: (state: BraiinsState) => unknown): Page =>
  (state) => ({ json: value(state) })
const bad = (text: string): HttpReply => ({ status: 400, text, type: 'text/plain' })

function rates(one: number, five: number, fifteen: number, average: number) {
  return {
    last_5s: rate(one),
    last_15s: rate(one),
    last_30s: rate(one),
    last_1m: rate(one),
    last_5m: rate(five),
    last_15m: rate(fifteen),
    last_30m: rate(fifteen),
    last_1h: rate(average),
    last_24h: rate(average),
    since_restart: rate(average),
  }
}

function stats(state: BraiinsState): Fields {
  const reading = state.read()
  const pools = state.machine.pools.read()
  const sum = (kind: Parameters<typeof sharesOf>[1]) => sharesOf(pools, kind)
  const now = Math.floor(state.machine.clock.now() / 1000)
  const ago = pools.find((pool) => pool.active)?.lastShareAgoS
  return {
    miner_stats: {
      best_share: Math.floor(1e6 + reading.workTh * 37),
      found_blocks: 0,
      nominal_hashrate: rate(reading.targetThs),
      real_hashrate: rates(reading.rateThs, reading.rate5mThs, reading.rate15mThs, reading.avgThs),
    },
    pool_stats: {
      accepted_shares: sum('accepted'),
      rejected_shares: sum('rejected'),
      stale_shares: sum('stale'),
      last_share_time: ago === undefined ? null : { seconds: Math.floor(now - ago), nanos: 0 },
    },
    power_stats: {
      approximated_consumption: { watt: round(reading.powerW) },
      efficiency: { joule_per_terahash: reading.rateThs > 0 ? reading.powerW / reading.rateThs : null },
    },
  }
}

function details(state: BraiinsState): Fields {
  const { row, machine } = state
  const reading = state.read()
  return {
    bos_mode: 4,
    bos_version: { bos_plus: true, current: row.version, major: row.version },
    bosminer_uptime_s: Math.floor(reading.elapsedS),
    control_board_soc_family: 3,
    hostname: machine.hostname,
    mac_address: machine.mac.toLowerCase(),
    miner_identity: { brand: 1, miner_model: state.model, model: 0, name: state.model },
    psu_info: { model_name: 'APW171215a/c', serial_number: null, fw_version: 6920, version: 193 },
    serial_number: machine.serial,
    status: state.isOn ? 2 : 3,
    sticker_hashrate: rate(row.nominalThs),
    system_uptime: Math.floor(reading.uptimeS),
    system_uptime_s: Math.floor(reading.uptimeS),
    uid: machine.serial,
  }
}

function boards(state: BraiinsState): Fields {
  const { row, machine } = state
  const reading = state.read()
  return {
    hashboards: reading.boards.map((board) => ({
      id: String(board.slot + 1),
      enabled: true,
      board_name: 'A3HB70601',
      chips_count: board.chips,
      serial_number: machine.boardSerials[board.slot],
      current_frequency: { hertz: reading.frequencyMhz * 1e6 },
      current_voltage: { volt: 13.7 },
      board_temp: { degree_c: round(board.boardC, 2) },
      highest_chip_temp: { id: 1, location: 1, temperature: { degree_c: round(board.chipMaxC, 2) } },
      lowest_inlet_temp: { degree_c: round(reading.inletC, 2) },
      highest_outlet_temp: { degree_c: round(reading.outletC, 2) },
      stats: {
        nominal_hashrate: rate(reading.targetThs / row.boards),
        real_hashrate: rates(board.rateThs, board.rateThs, board.rateThs, board.avgThs),
      },
    })),
  }
}

function cooling(state: BraiinsState): Fields {
  const reading = state.read()
  const hottest = Math.max(0, ...reading.boards.map((board) => board.chipMaxC))
  return {
    fans: reading.fansRpm.map((rpm, position) => ({
      position,
      rpm,
      target_speed_ratio: state.fanRatio ?? round(rpm / 6600, 2),
    })),
    highest_temperature: { id: null, location: 1, temperature: { degree_c: round(hottest, 2) } },
  }
}

function errors({ machine }: BraiinsState): Fields {
  const now = new Date(machine.clock.now()).toISOString()
  const texts = machine.faults.flatMap((fault): [string, object[]][] => {
    if (fault.kind === 'boardLost') return [[`Hashboard ${fault.slot + 1} does not respond`, []]]
    if (fault.kind === 'fanStopped') return [[`Fan ${fault.index} does not spin`, []]]
    if (fault.kind === 'overheated') return [['Dangerous temperature reached', []]]
    return []
  })
  return {
    errors: texts.map(([message, codes]) => ({ timestamp: now, message, error_codes: codes, components: [] })),
  }
}

function pools({ machine }: BraiinsState): unknown {
  const now = Math.floor(machine.clock.now() / 1000)
  const list = machine.pools.read().map((pool) => ({
    uid: `uid-${pool.index}`,
    url: pool.url,
    user: pool.user,
    enabled: true,
    active: pool.active,
    alive: pool.alive,
    stats: {
      accepted_shares: pool.accepted,
      rejected_shares: pool.rejected,
      stale_shares: pool.stale,
      last_difficulty: pool.difficulty,
      last_share_time:
        pool.lastShareAgoS === undefined ? null : { seconds: Math.floor(now - pool.lastShareAgoS), nanos: 0 },
    },
  }))
  return [{ uid: '0', name: 'Default', strategy: { quota: { value: 1 } }, pools: list }]
}

function network({ machine }: BraiinsState): Fields {
  const { network: net, mac, hostname } = machine
  return {
    default_gateway: net.gateway,
    dns_servers: net.dns,
    hostname,
    mac_address: mac.toLowerCase(),
    name: 'eth0',
    networks: [{ address: net.ip, netmask: net.netmask }],
    protocol: net.dhcp ? 1 : 2,
  }
}

const configuration = (state: BraiinsState): Fields => ({
  pool_groups: [],
  tuner: {
    enabled: true,
    tuner_mode: state.targetThs === undefined ? 1 : 2,
    power_target: { watt: state.targetW },
    hashrate_target: state.targetThs === undefined ? null : { terahash_per_second: state.targetThs },
  },
})

const constraints = ({ row }: BraiinsState): Fields => ({
  tuner_constraints: {
    power_target: { min: { watt: row.targetW.min }, max: { watt: row.targetW.max } },
    hashrate_target: { min: { terahash_per_second: 1 }, max: { terahash_per_second: row.nominalThs * 1.2 } },
  },
})

function setPools(state: BraiinsState, body: unknown): HttpReply {
  const groups = Array.isArray(body) ? body.map(asFields) : []
  const wanted = groups.flatMap((group) => (Array.isArray(group?.pools) ? group.pools.map(asFields) : []))
  const list = wanted.map((pool) => ({
    url: String(pool?.url ?? ''),
    user: String(pool?.user ?? ''),
    pass: String(pool?.password ?? 'x'),
  }))
  return state.setPools(list) ? { json: body } : bad('invalid pool')
}

function setNetwork({ machine }: BraiinsState, body: unknown): HttpReply {
  const { hostname, protocol } = asFields(body) ?? {}
  const fixed = asFields(asFields(protocol)?.static) as Record<string, string> | undefined
  if (typeof hostname === 'string') machine.hostname = hostname
  const { address = '', netmask = '', gateway = '', dns_servers: dns } = fixed ?? {}
  if (fixed) machine.network = { dhcp: false, ip: address, netmask, gateway, dns: Array.isArray(dns) ? dns : [] }
  else if (protocol) machine.network = { ...machine.network, dhcp: true }
  return { json: {} }
}

/** After which the connection is cut. */
const cut =
  (run: (state: BraiinsState) => void): Page =>
  (state) => ({ status: 204, text: '', after: () => run(state) })

const reads: Readonly<Record<string, Page>> = {
  'GET version/': json(({ row }) => {
    const [major, minor, patch] = (row.api ?? '1.0.0').split('.').map(Number)
    return { major, minor, patch }
  }),
  'GET miner/details': json(details),
  'GET miner/stats': json(stats),
  'GET miner/hw/hashboards': json(boards),
  'GET miner/errors': json(errors),
  'GET cooling/state': json(cooling),
  'GET pools/': json(pools),
  'GET network/': json(network),
  'GET configuration/miner': json(configuration),
  'GET configuration/constraints': json(constraints),
  'GET performance/tuner-state': json((state) => ({
    overall_tuner_state: state.read().tuned ? 2 : 3,
    mode_state: { powertargetmodestate: { current_target: { watt: state.targetW } } },
  })),
  'GET actions/locate': json((state) => state.locate),
}

const writes: Readonly<Record<string, Page>> = {
  'PUT actions/pause': (state) => {
    state.sleep(true)
    return { json: true }
  },
  'PUT actions/resume': (state) => {
    state.sleep(false)
    return { json: true }
  },
  'PUT actions/restart': (state) => ({ json: true, after: () => state.machine.restart() }),
  'PUT actions/reboot': cut((state) => state.machine.reboot()),
  'PUT actions/factory-reset': cut((state) => state.factoryReset()),
  'PUT actions/locate': (state, body) => {
    state.locate = body === true
    return { json: state.locate }
  },
  'PUT performance/power-target': (state, body) => {
    const { watt } = asFields(body) ?? {}
    return state.setTarget(Number(watt)) ? { json: { watt } } : bad('power target out of range')
  },
  'PUT performance/hashrate-target': (state, body) => {
    const { terahash_per_second: ths } = asFields(body) ?? {}
    return state.setHashrate(Number(ths)) ? { json: body } : bad('hashrate target out of range')
  },
  'PUT pools/batch': setPools,
  'PUT cooling/mode': (state, body) => {
    const ratio = Number(asFields(asFields(body)?.manual)?.fan_speed_ratio)
    state.fanRatio = Number.isFinite(ratio) ? ratio : undefined
    return { json: body }
  },
  'PATCH network/configuration': setNetwork,
}

/** `/api/v1/...`: the version for all, everything else with the token of a login. */
export function restPage(state: BraiinsState, { method, path, headers, body }: HttpCall): HttpReply {
  const key = `${method} ${path.slice('/api/v1/'.length)}`
  const content = parsed(body)
  if (key === 'POST auth/login') {
    const { username, password } = asFields(content) ?? {}
    if (username !== 'root' || password !== state.password) return { status: 401, text: 'invalid credentials' }
    return { json: { token: state.token, timeout_s: 3600 } }
  }
  if (key !== 'GET version/' && headers.authorization !== state.token) return { status: 401, text: 'unauthorized' }
  const write = Object.hasOwn(writes, key) ? writes[key] : undefined
  if (write && state.machine.has('refusedWrite')) return bad('refused')
  const page = write ?? (Object.hasOwn(reads, key) ? reads[key] : undefined)
  return page ? page(state, content) : { status: 404, text: 'Not Found' }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
