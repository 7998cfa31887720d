import { defineDevice, type Evidence, type Match, read } from '../define.js'
import { antminerModel, antminers, antminerTitle, withChipCounts } from '../hardware/antminer.js'
import { rpcPort, rpcVersion } from '../kit/cgminer.js'
import { type Fields, num, str } from '../kit/json.js'
import { type LuxRequest, luxos as luxRpc } from '../kit/luxos.js'
import { isSaid, webPage } from '../kit/signs.js'
import { attempt, count, defined, macOf, mean as meanOf, positive, words } from '../kit/values.js'
import { luxosCommands } from './luxos-commands.js'
import {
  fanSettingOf,
  isAsleep,
  ledOf,
  networkOf,
  parseAtm,
  parseGroups,
  parseProfiles,
  parseTempCtrl,
  psuOf,
} from './luxos-config.js'
import { parseEvents } from './luxos-events.js'
import { boardsOf, limitsOf, type Others, stateErrors, tuningOf, variantOf } from './luxos-parts.js'
import {
  configOf,
  ghs,
  parseChips,
  parseDevs,
  parseFans,
  parseLuxPools,
  parsePower,
  parseStats,
  parseTemps,
  parseVoltages,
  summaryOf,
  versionOf,
} from './luxos-replies.js'

const fiveMinutes = 300_000
const tenMinutes = 600_000

const ask = <T>(command: string, parse: (reply: unknown) => T, options: Parameters<typeof read>[3] = {}) =>
  read(luxRpc, { command } satisfies LuxRequest, parse, options)
const askBoards = <T>(command: string, parse: (reply: unknown) => T) =>
  read(luxRpc, { command, perBoard: true } satisfies LuxRequest, parse, { everyMs: fiveMinutes, optional: true })

function match(seen: Evidence): Match | undefined {
  if (!isSaid(seen, 'luxos')) return undefined
  const version = attempt(() => versionOf(seen.answer(rpcVersion)))
  const daemon = words(version?.LUXminer, 64)
  const model = antminerTitle(str(version?.Type))
  return {
    confidence: daemon === undefined ? 0.8 : model === undefined ? 0.95 : 1,
    model,
    firmware: words(version?.Miner, 64) ?? daemon,
    why: [
      daemon === undefined ? 'its page or its RPC names LuxOS' : `its RPC is LUXminer ${daemon}`,
      ...(model ? [`on an Antminer ${model}`] : []),
    ],
  }
}

/** Antminers with LuxOS (protocols/luxos.md): all over the RPC on 4028, in one joined command and some per board. */
export const luxos = defineDevice({
  library: 'miner-luxos',
  kind: 'miner',
  make: 'Bitmain',
  family: 'luxos',
  mainPort: rpcPort,
  models: antminers,
  modelOf: luxosModel,
  identify: { probes: [webPage, rpcVersion], match },
  reads: {
    summary: ask('summary', summaryOf),
    config: ask('config', configOf),
    devs: ask('devs', parseDevs),
    stats: ask('stats', parseStats),
    temps: ask('temps', parseTemps),
    fans: ask('fans', parseFans),
    power: ask('power', parsePower),
    pools: ask('pools', parseLuxPools),
    events: ask('events', parseEvents, { optional: true }),
    version: ask('version', versionOf, { everyMs: tenMinutes, lasting: true }),
    profiles: ask('profiles', parseProfiles, { everyMs: fiveMinutes, optional: true }),
    groups: ask('groups', parseGroups, { everyMs: fiveMinutes, optional: true }),
    tempctrl: ask('tempctrl', parseTempCtrl, { everyMs: fiveMinutes, optional: true }),
    atm: ask('atm', parseAtm, { everyMs: fiveMinutes, optional: true }),
    tuner: ask('tunerstatus', (reply) => reply, { everyMs: fiveMinutes, optional: true }),
    voltages: askBoards('voltageget', parseVoltages),
    chips: askBoards('healthchipget', parseChips),
  },
  telemetry(from) {
    const rate = (key: string) => from('summary', (summary) => ghs(summary[key]))
    /** A mean over a time in which it was not on yet is none. */
    const mean = (key: string, seconds: number) =>
      from('summary', (s) => ((num(s.Elapsed) ?? 0) >= seconds ? ghs(s[key]) : undefined))
    const total = (key: string) => from('summary', (summary) => count(summary[key]))
    const config = <V>(take: (config: Fields, others: Others) => V) =>
      from('config', (reply, _, others) => take(reply, others as Others))
    return {
      model: [
        config((c) => antminerTitle(str(c.Model))),
        from('version', (v) => antminerTitle(str(v.Type))),
        from('stats', (s) => antminerTitle(s.type)),
      ],
      variant: config(variantOf),
      firmwareVersion: [
        from('version', (v) => words(v.Miner, 64) ?? words(v.LUXminer, 64)),
        from('stats', (s) => s.firmware),
      ],
      apiVersion: from('version', (v) => words(v.API, 32)),
      controlBoard: config((c) => words(c.ControlBoardType, 64)),
      serial: config((c) => words(c.SerialNumber, 64)),
      mac: config((c) => macOf(c.MACAddr)),
      hostname: config((c) => words(c.Hostname, 64)),
      psu: config(psuOf),
      network: config(networkOf),
      led: config(ledOf),

      hashrateThs: [rate('GHS 5s'), rate('GHS 1m'), rate('GHS av')],
      hashrate5sThs: rate('GHS 5s'),
      hashrate1mThs: rate('GHS 1m'),
      hashrate5mThs: mean('GHS 5m', 300),
      hashrate15mThs: mean('GHS 15m', 900),
      hashrate30mThs: mean('GHS 30m', 1800),
      hashrate24hThs: mean('GHS 24h', 86_400),
      hashrateAvgThs: rate('GHS av'),
      expectedHashrateThs: [
        from('devs', (devs) => sumOf(devs.map(({ nominalThs }) => nominalThs))),
        from('stats', (s) => s.idealThs),
      ],
      nominalHashrateThs: config((c) => positive(num(c.NameplateTHS))),
      powerW: [from('power', (watts) => watts), from('tuner', tunerPower)],
      powerLimitW: config((c, others) => tuningOf(c, others)?.targetW),
      frequencyMhz: from('stats', (s) => meanOf(s.chains.map(({ frequencyMhz }) => frequencyMhz))),
      miningUptimeS: [total('Elapsed'), from('stats', (s) => s.elapsedS)],
      acceptedShares: total('Accepted'),
      rejectedShares: total('Rejected'),
      staleShares: total('Stale'),
      hwErrors: total('Hardware Errors'),
      hwErrorPct: from('summary', (s) => num(s['Device Hardware%'])),
      poolRejectPct: from('summary', (s) => num(s['Pool Rejected%'])),
      poolStalePct: from('summary', (s) => num(s['Pool Stale%'])),
      bestShare: total('Best Share'),

      boards: [
        from('devs', (_, model, others) => withChipCounts(boardsOf(others as Others), model)),
        from('stats', (_, model, others) => withChipCounts(boardsOf(others as Others), model)),
      ],
      fans: [
        from('fans', ({ fans }, model) => (fans.length === 0 && model.fans !== 0 ? undefined : fans)),
        from('stats', (s) => s.fans.map((rpm, index) => ({ index, ...defined({ rpm }) }))),
      ],
      fanDutyPct: from('fans', ({ fans }) => meanOf(fans.map(({ dutyPct }) => dutyPct ?? undefined))),
      pools: from('pools', (pools) => (pools.length > 0 ? pools : undefined)),

      tuning: config(tuningOf),
      tuningNow: config((c, { devs = [] }) => c.IsTuning === true || devs.some(({ isRamping }) => isRamping)),
      limits: from('profiles', limitsOf),
      fanSetting: from('tempctrl', (control, _, { fans }) => fanSettingOf(control, fans)),
      asleep: config(isAsleep),
      errors: [
        from('events', (events, model, all) => [...events, ...stateErrors(all.config, all as Others, model)]),
        from('config', (c, model, all) => stateErrors(c, all as Others, model)),
      ],
    }
  },
  commands: luxosCommands,
  notes: [
    'Network, log server and password: their parameters are not known, so they are not offered. Its update fetches a file of its own: it takes none from here.',
    'A power limit and a hashrate target choose a profile; while thermal steering (ATM) is on, the firmware may later step to another one within its own ends.',
    'Whether pools need a session is told in two ways: they are written without one, and within one where the miner asks for it.',
    'A comma in a pool address, account or password cannot be written, and an address is taken once.',
    'Boards are asked for voltage and chip health one by one, at most every 4.5 min: the API server bears one connection a second.',
  ],
  defaults: { intervalMs: 30_000, timeoutMs: 20_000, credentials: [] },
})

function luxosModel(name: string, variant?: string) {
  return antminerModel(variant === 'immersion' ? `${name} Imm` : name)
}

function sumOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0)
}

/** Newer builds tell it there. */
function tunerPower(reply: unknown): number | undefined {
  const rows = (reply as { TUNERSTATUS?: unknown } | undefined)?.TUNERSTATUS
  return Array.isArray(rows) ? positive(num((rows[0] as Fields | undefined)?.Power)) : undefined
}
