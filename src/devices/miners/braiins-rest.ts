import { SdkError } from '#model'
import { defineDevice, type Evidence, type Match, type Probe, read } from '../define.js'
import { braiinsModel, braiinsModels, braiinsName } from '../hardware/braiins.js'
import { braiinsLogin, braiinsRest } from '../kit/braiins.js'
import { rpcVersion } from '../kit/cgminer.js'
import { http, webPort } from '../kit/http.js'
import { bool, fields, num, str } from '../kit/json.js'
import { jsonOf, type RestRequest } from '../kit/rest.js'
import { isSaid, mayBe, webPage } from '../kit/signs.js'
import { macOf, mean, object, temperature } from '../kit/values.js'
import { braiinsRestCommands } from './braiins-rest-commands.js'
import {
  boardsOf,
  controlBoardOf,
  errorsOf,
  fansOf,
  isAsleep,
  networkOf,
  nominalOf,
  parseBoards,
  parseDetails,
  parsePools,
  parseStats,
  poolStat,
  powerOf,
  psuOf,
  rateOf,
  targetW,
  ths,
  tunerState,
  tuningOf,
} from './braiins-rest-values.js'

const halfMinute = 30_000
const minute = 60_000
const tenMinutes = 600_000

const get = <T>(path: string, parse: (reply: unknown) => T, options: Parameters<typeof read>[3] = {}) =>
  read(braiinsRest.protocol, { path: `/api/v1/${path}` } satisfies RestRequest, parse, options)

const reads = {
  stats: get('miner/stats', parseStats),
  boards: get('miner/hw/hashboards', parseBoards),
  cooling: get('cooling/state', (reply) => object(reply, 'the cooling state')),
  details: get('miner/details', parseDetails, { everyMs: halfMinute }),
  pools: get('pools/', parsePools, { everyMs: halfMinute }),
  tuner: get('performance/tuner-state', (reply) => object(reply, 'the tuner state'), {
    everyMs: halfMinute,
    optional: true,
  }),
  configuration: get('configuration/miner', (reply) => object(reply, 'the configuration'), {
    everyMs: minute,
    optional: true,
  }),
  locate: get('actions/locate', parseLocate, { everyMs: minute, optional: true }),
  errors: get('miner/errors', (reply) => object(reply, 'the errors'), { everyMs: minute, optional: true }),
  network: get('network/', networkOf, { everyMs: tenMinutes, optional: true }),
  version: get('version/', (reply) => versionOf(reply), { everyMs: tenMinutes, optional: true, lasting: true }),
}

function parseLocate(reply: unknown): 'blink' | 'off' {
  const on = bool(reply) ?? bool(fields(reply).enabled)
  if (on === undefined) throw new SdkError('DEVICE_BAD_REPLY', 'the reply does not say whether the LED blinks')
  return on ? 'blink' : 'off'
}

function versionOf(reply: unknown): string {
  const { major, minor, patch } = fields(reply)
  if (num(major) === undefined || num(minor) === undefined)
    throw new SdkError('DEVICE_BAD_REPLY', 'the reply is no version')
  return [major, minor, num(patch) ?? 0].map(Number).join('.')
}

/** The version of the interface is told without a login. */
export const braiinsRestVersion: Probe = {
  name: 'braiins rest version',
  port: webPort,
  when: mayBe('braiins'),
  async run(io) {
    const response = await http(io, webPort, { path: '/api/v1/version/' })
    return response.status === 200 ? versionOf(jsonOf(response)) : response.status
  },
}

/** Who it is; signs in where it has to. */
const detailsProbe: Probe = {
  name: 'braiins miner details',
  port: webPort,
  when: (seen) => typeof seen.answer(braiinsRestVersion) === 'string',
  run: (io) => braiinsRest.call(io, { path: '/api/v1/miner/details' }),
}

function match(seen: Evidence): Match | undefined {
  const version = seen.answer(braiinsRestVersion)
  if (typeof version !== 'string' || !mayBe('braiins')(seen)) return undefined
  const details = fields(seen.answer(detailsProbe))
  const firmware = str(fields(details.bos_version).current)
  const identity = fields(details.miner_identity)
  return {
    confidence: firmware ? 1 : isSaid(seen, 'braiins') ? 0.95 : 0.8,
    why: [`it has REST ${version}`, ...(firmware ? [`it runs Braiins OS ${firmware}`] : [])],
    model: braiinsName(str(identity.miner_model) ?? str(identity.name)),
    firmware,
    mac: macOf(details.mac_address),
  }
}

/** Braiins OS 25.07 and later, by its REST interface (protocols/braiins.md §5). */
export const braiinsRestDevice = defineDevice({
  library: 'miner-braiins',
  kind: 'miner',
  make: 'Bitmain',
  family: 'braiins-rest',
  mainPort: webPort,
  models: braiinsModels,
  modelOf: braiinsModel,
  identify: { probes: [webPage, rpcVersion, braiinsRestVersion, detailsProbe], match },
  reads,
  telemetry(from) {
    const rate = (window: string) => from('stats', (stats) => rateOf(stats, window))
    return {
      model: from('details', (d) => {
        const identity = fields(d.miner_identity)
        return braiinsName(str(identity.miner_model) ?? str(identity.name))
      }),
      firmwareVersion: from('details', (d) => str(fields(d.bos_version).current)),
      apiVersion: from('version', (version) => version),
      controlBoard: from('details', controlBoardOf),
      serial: from('details', (d) => str(d.serial_number)),
      mac: from('details', (d) => macOf(d.mac_address)),
      hostname: from('details', (d) => str(d.hostname)),
      psu: from('details', psuOf),
      network: from('network', (network) => network),
      led: from('locate', (led) => led),

      hashrateThs: [rate('last_5s'), rate('last_15s'), rate('last_1m')],
      hashrate5sThs: rate('last_5s'),
      hashrate30sThs: rate('last_30s'),
      hashrate1mThs: rate('last_1m'),
      hashrate5mThs: rate('last_5m'),
      hashrate15mThs: rate('last_15m'),
      hashrate30mThs: rate('last_30m'),
      hashrate1hThs: rate('last_1h'),
      hashrate24hThs: rate('last_24h'),
      hashrateAvgThs: rate('since_restart'),
      expectedHashrateThs: from('stats', nominalOf),
      nominalHashrateThs: from('details', (d) => ths(d.sticker_hashrate)),
      powerW: from('stats', powerOf),
      powerLimitW: from('configuration', targetW),
      efficiencyJTh: from('stats', (s) => num(fields(fields(s.power_stats).efficiency).joule_per_terahash)),

      boards: from('boards', boardsOf),
      chipTempMaxC: from('cooling', (cooling) => {
        const { location, temperature: value } = fields(cooling.highest_temperature)
        return num(location) === 1 ? temperature(fields(value).degree_c) : undefined
      }),
      fans: from('cooling', fansOf),
      fanDutyPct: from('cooling', (cooling) => mean(fansOf(cooling).map(({ dutyPct }) => dutyPct ?? undefined))),
      uptimeS: from('details', (d) => num(d.system_uptime_s) ?? num(d.system_uptime)),
      miningUptimeS: from('details', (d) => num(d.bosminer_uptime_s)),
      acceptedShares: from('stats', (s) => poolStat(s, 'accepted_shares')),
      rejectedShares: from('stats', (s) => poolStat(s, 'rejected_shares')),
      staleShares: from('stats', (s) => poolStat(s, 'stale_shares')),
      bestShare: from('stats', (s) => num(fields(s.miner_stats).best_share)),
      pools: from('pools', (pools) => (pools.length > 0 ? pools : undefined)),

      tuning: [
        from('configuration', (configuration, _, { tuner }) => tuningOf(configuration, tuner)),
        from('tuner', (tuner) => tuningOf(undefined, tuner)),
      ],
      tuningNow: from('tuner', (tuner) => tunerState(tuner)?.busy === true),
      asleep: from('details', isAsleep),
      errors: from('errors', (errors, _, { stats, details }) => errorsOf(errors, stats, details)),
    }
  },
  commands: braiinsRestCommands,
  defaults: { intervalMs: 15_000, timeoutMs: 10_000, credentials: braiinsLogin },
})
