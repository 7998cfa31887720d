import { defineDevice, type Evidence, type Match, type Probe, read } from '../define.js'
import { teraflux, terafluxModel, terafluxName } from '../hardware/auradine.js'
import { fluxClient, fluxLogin } from '../kit/auradine.js'
import { acceptedReply, cgminer, rpcPort, rpcVersion } from '../kit/cgminer.js'
import { parsePools } from '../kit/cgminer-pools.js'
import { num } from '../kit/json.js'
import { daemonSign, isSaid } from '../kit/signs.js'
import { attempt, count, defined, positive } from '../kit/values.js'
import { auradineCommands } from './auradine-commands.js'
import { boardsOf, countErrors, fansOf, ledErrors, locate, modeOf, type Others } from './auradine-parts.js'
import {
  parseCount,
  parseDevs,
  parseFans,
  parseFrequencies,
  parseLed,
  parseMode,
  parsePsu,
  parseReport,
  parseTemperatures,
  parseVersion,
  summaryOf,
  thsOf,
} from './auradine-replies.js'

const halfMinute = 30_000
const fiveMinutes = 300_000
const tenMinutes = 600_000

const rpc = <T>(command: string, parse: (reply: unknown) => T, options: Parameters<typeof read>[3] = {}) =>
  read(cgminer, { command }, parse, options)
const get = <T>(command: string, parse: (reply: unknown) => T, options: Parameters<typeof read>[3] = {}) =>
  read(fluxClient.protocol, { path: `/${command}` }, (reply) => parse(acceptedReply(reply)), options)

/** Who it is, from the interface that wants a login. Named after the port of the RPC, for it is worth asking only after that has answered. */
const fluxReport: Probe = {
  name: 'flux ipreport',
  port: rpcPort,
  when: (seen) => daemonSign(seen) === 'auradine',
  run: (io) => fluxClient.call(io, { path: '/ipreport' }),
}

function match(seen: Evidence): Match | undefined {
  if (!isSaid(seen, 'auradine')) return undefined
  const report = attempt(() => parseReport(seen.answer(fluxReport)))
  const version = attempt(() => parseVersion(seen.answer(rpcVersion)))
  return {
    confidence: report?.model ? 1 : 0.95,
    model: terafluxName(report?.model),
    firmware: report?.firmware,
    mac: report?.mac,
    why: [
      ...(version ? [`its RPC is GCMiner ${version.daemon ?? ''}`.trim()] : ['its page names Auradine']),
      ...(report?.model ? [`it calls itself ${report.model}`] : []),
    ],
  }
}

/** Auradine Teraflux with FluxOS: counters over the RPC on 4028, the rest over REST with a token on 8080 (protocols/other-firmwares.md). */
export const auradine = defineDevice({
  library: 'miner-auradine',
  kind: 'miner',
  make: 'Auradine',
  family: 'stock',
  mainPort: rpcPort,
  models: teraflux,
  modelOf: terafluxModel,
  identify: { probes: [rpcVersion, fluxReport], match },
  reads: {
    summary: rpc('summary', summaryOf),
    devs: rpc('devs', parseDevs),
    pools: rpc('pools', parsePools, { everyMs: halfMinute }),
    count: rpc('asccount', parseCount, { everyMs: halfMinute, optional: true }),
    version: rpc('version', parseVersion, { everyMs: tenMinutes, lasting: true }),
    psu: get('psu', parsePsu),
    mode: get('mode', parseMode, { everyMs: halfMinute }),
    temperatures: get('temperature', parseTemperatures, { everyMs: halfMinute, optional: true }),
    fans: get('fan', parseFans, { everyMs: halfMinute, optional: true }),
    led: get('led', parseLed, { everyMs: halfMinute, optional: true }),
    frequencies: get('frequency', parseFrequencies, { everyMs: fiveMinutes, optional: true }),
    report: get('ipreport', parseReport, { everyMs: tenMinutes, lasting: true }),
  },
  telemetry(from) {
    const total = (key: string) => from('summary', (summary) => count(summary[key]))
    const rate = (key: string) => from('summary', (summary) => thsOf(summary[key]))
    return {
      model: from('report', (r) => terafluxName(r.model)),
      firmwareVersion: from('report', (r) => r.firmware),
      apiVersion: from('version', (v) => v.api),
      controlBoard: from('report', (r) => r.controlBoard),
      serial: from('report', (r) => r.serial),
      mac: from('report', (r) => r.mac),
      hostname: from('report', (r) => r.hostname),
      led: from('led', (led) => (led.code === undefined ? undefined : led.code === locate ? 'blink' : 'off')),

      hashrateThs: [rate('MHS 5s'), rate('MHS 1m'), rate('MHS av')],
      hashrate5sThs: rate('MHS 5s'),
      hashrate1mThs: rate('MHS 1m'),
      hashrate5mThs: rate('MHS 5m'),
      hashrate15mThs: rate('MHS 15m'),
      hashrateAvgThs: rate('MHS av'),
      expectedHashrateThs: from('mode', (m) => m.ths),
      miningUptimeS: total('Elapsed'),
      acceptedShares: total('Accepted'),
      rejectedShares: total('Rejected'),
      staleShares: total('Stale'),
      hwErrors: total('Hardware Errors'),
      bestShare: total('Best Share'),
      poolRejectPct: from('summary', (summary) => num(summary['Pool Rejected%'])),
      poolStalePct: from('summary', (summary) => num(summary['Pool Stale%'])),

      powerW: from('psu', (p) => p.inputW),
      dcPowerW: from('psu', (p) => p.outputW),
      powerLimitW: from('mode', (m) => m.watts),
      psuInputPowerW: from('psu', (p) => p.inputW),
      psuInputVoltageV: from('psu', (p) => p.inputV),
      psuInputCurrentA: from('psu', (p) => p.inputA),
      psuOutputVoltageV: from('psu', (p) => p.outputV),
      psuFanRpm: from('psu', (p) => p.fanRpm),

      boards: from('devs', (devs, model, all) => boardsOf(devs, model, all as Others)),
      fans: from('fans', fansOf),
      fanDutyPct: from('fans', (fans) => positive(fans[0]?.dutyPct)),
      pools: from('pools', (pools) => (pools.length > 0 ? pools : undefined)),

      tuning: from('mode', (m) => defined({ mode: modeOf(m), preset: m.mode, targetW: m.watts, targetThs: m.ths })),
      limits: from('psu', (p) => (p.mostW === undefined ? undefined : { powerW: [1, p.mostW] as const })),
      asleep: from('mode', (m) => m.asleep),
      errors: [
        from('led', (led, model, all) => [...ledErrors(led), ...countErrors(all as Others, model)]),
        from('summary', (_, model, all) => countErrors(all as Others, model)),
      ],
    }
  },
  commands: auradineCommands,
  notes: [
    'The form of its network settings is not known; its firmware it fetches itself from an address: neither is offered.',
    'How its fans are given back to it is not known: a duty can be set, the automatic mode cannot.',
  ],
  defaults: { intervalMs: 15_000, timeoutMs: 10_000, credentials: fluxLogin },
})
