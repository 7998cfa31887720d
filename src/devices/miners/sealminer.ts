import { defineDevice, type Evidence, type Match, type Probe, read } from '../define.js'
import { sealModel, sealminers, sealName } from '../hardware/sealminer.js'
import { rpc as ask, cgminer, rpcPort, rpcVersion } from '../kit/cgminer.js'
import { parsePools } from '../kit/cgminer-pools.js'
import { type Fields, num, str } from '../kit/json.js'
import { pagePath, sealWeb } from '../kit/sealminer.js'
import { daemonSign, isSaid } from '../kit/signs.js'
import { attempt, count, defined, macOf, positive, temperature, words } from '../kit/values.js'
import { sealminerCommands } from './sealminer-commands.js'
import {
  boardsOf,
  fansOf,
  isAsleep,
  isTuning,
  modeOf,
  modeOfInfo,
  type PsuStatus,
  parseInfo,
  parsePsu,
  parseStats,
  parseVersion,
  sealErrors,
  summaryOf,
  thsOf,
  variantOf,
} from './sealminer-replies.js'

const halfMinute = 30_000
const minute = 60_000
const tenMinutes = 600_000

const rpc = <T>(command: string, parse: (reply: unknown) => T, options: Parameters<typeof read>[3] = {}) =>
  read(cgminer, { command }, parse, options)
const page = <T>(name: string, parse: (reply: unknown) => T, everyMs: number) =>
  read(sealWeb.protocol, { path: pagePath(name) }, parse, { everyMs, optional: true })

/** Its version says whose it is, its stats say what. */
const sealStats: Probe = {
  name: 'bdminer stats',
  port: rpcPort,
  when: (seen) => daemonSign(seen) === 'sealminer',
  run: (io) => ask(io, { command: 'stats' }),
}

function match(seen: Evidence): Match | undefined {
  if (!isSaid(seen, 'sealminer')) return undefined
  const stats = attempt(() => parseStats(seen.answer(sealStats)))
  const model = sealName(str(stats?.Model))
  return {
    confidence: model ? 1 : 0.95,
    model,
    variant: stats && variantOf(stats),
    firmware: words(stats?.Firmware, 64),
    mac: macOf(stats?.MAC),
    why: ['its RPC is bdminer', ...(model ? [`its stats are of a SealMiner ${model}`] : [])],
  }
}

const total = (key: string) => (stats: Fields) => count(stats[key])

/** Bitdeer SealMiner: bdminer's RPC on 4028 tells all that changes, the pages on 80 settings, with the operator's password. */
export const sealminer = defineDevice({
  library: 'miner-sealminer',
  kind: 'miner',
  make: 'Bitdeer',
  family: 'stock',
  mainPort: rpcPort,
  models: sealminers,
  modelOf: sealModel,
  identify: { probes: [rpcVersion, sealStats], match },
  reads: {
    stats: rpc('stats', parseStats),
    summary: rpc('summary', summaryOf),
    pools: rpc('pools', parsePools, { everyMs: halfMinute }),
    version: rpc('version', parseVersion, { everyMs: tenMinutes, lasting: true }),
    info: page('get_system_info', parseInfo, minute),
    psu: page('miner-psu-status', parsePsu, halfMinute),
  },
  telemetry(from) {
    const stats = <V>(take: (stats: Fields) => V) => from('stats', take)
    const summary = <V>(take: (summary: Fields) => V) => from('summary', take)
    const rate = (key: string) => stats((s) => thsOf(s[key]))
    /** A mean over a time in which it was not on yet is none. */
    const mean = (key: string, seconds: number) =>
      stats((s) => ((num(s.Elapsed) ?? 0) >= seconds ? thsOf(s[key]) : undefined))
    const sensor = (key: string) => stats((s) => temperature(s[key]))
    const number = (key: string) => stats((s) => positive(num(s[key])))
    return {
      model: [stats((s) => sealName(str(s.Model))), from('info', (i) => sealName(i.model))],
      variant: stats(variantOf),
      firmwareVersion: [stats((s) => words(s.Firmware, 64)), from('info', (i) => i.firmware)],
      apiVersion: from('version', (v) => v.api),
      controlBoard: [stats((s) => words(s['Ctrl Board'], 64)), from('info', (i) => i.controlBoard)],
      serial: [stats((s) => words(s['Ctrl Board SN'], 64)), from('info', (i) => i.serial)],
      mac: [stats((s) => macOf(s.MAC)), from('info', (i) => i.mac)],
      psu: [
        stats((s) =>
          s['PSU Model'] === undefined
            ? undefined
            : defined({
                model: words(s['PSU Model'], 64),
                serial: words(s['PSU SN'], 64),
                version: words(s['PSU Firmware'], 64),
              }),
        ),
        from('info', (i) => (i.psu === undefined ? undefined : { model: i.psu })),
      ],
      network: from('info', ({ dhcp, ip }) => (ip === undefined ? undefined : defined({ dhcp, ip }))),
      led: from('info', (i) => i.led),

      hashrateThs: [rate('MHS(Sample)'), rate('MHS(1m)'), summary((s) => thsOf(s['MHS 1m'] ?? s['MHS 5s']))],
      hashrate30sThs: rate('MHS(30s)'),
      hashrate1mThs: [rate('MHS(1m)'), summary((s) => thsOf(s['MHS 1m']))],
      hashrate5mThs: [mean('MHS(5m)', 300), summary((s) => thsOf(s['MHS 5m']))],
      hashrate15mThs: [mean('MHS(15m)', 900), summary((s) => thsOf(s['MHS 15m']))],
      hashrate30mThs: mean('MHS(30m)', 1800),
      hashrate1hThs: mean('MHS(1h)', 3600),
      hashrateAvgThs: [summary((s) => thsOf(s['MHS av'])), rate('MHS(Avg)')],
      expectedHashrateThs: [
        stats((s) => positive(thsOf(s['MHS(Rated)']))),
        stats((s) => positive(thsOf(s['MHS(Ideal)']))),
      ],

      powerW: [number('PSU Input Power'), from('psu', (p) => p.powerW)],
      dcPowerW: number('PSU Output Power'),
      powerLimitW: number('Power Limit'),
      psuInputPowerW: number('PSU Input Power'),
      psuInputVoltageV: number('PSU Input Voltage'),
      psuOutputVoltageV: [number('PSU Output Voltage'), from('psu', (p) => p.voltageV)],
      psuTempC: [sensor('PSU Temp AMB'), from('psu', (p) => p.temperatureC)],
      psuFanRpm: number('PSU Fan Speed'),
      boardTempMaxC: sensor('Temp'),
      frequencyMhz: number('Freq'),
      uptimeS: stats(total('System Uptime')),
      miningUptimeS: [stats(total('Elapsed')), summary(total('Elapsed'))],

      boards: stats(boardsOf),
      fans: from('stats', fansOf),
      pools: from('pools', (pools) => (pools.length > 0 ? pools : undefined)),
      acceptedShares: summary(total('Accepted')),
      rejectedShares: summary(total('Rejected')),
      staleShares: summary(total('Stale')),
      hwErrors: summary(total('Hardware Errors')),
      hwErrorPct: summary((s) => num(s['Device Hardware%'])),
      poolRejectPct: summary((s) => num(s['Pool Rejected%'])),
      poolStalePct: summary((s) => num(s['Pool Stale%'])),
      bestShare: summary(total('Best Share')),

      tuning: [
        stats((s) => {
          const tuning = defined({ mode: modeOf(s), targetW: positive(num(s['Power Limit'])) })
          return Object.keys(tuning).length > 0 ? tuning : undefined
        }),
        from('info', (i) => {
          const mode = modeOfInfo(i)
          return mode === undefined ? undefined : { mode }
        }),
      ],
      tuningNow: stats(isTuning),
      asleep: stats(isAsleep),
      errors: from('stats', (s, _, { psu }) => sealErrors(s, psu as PsuStatus | undefined)),
    }
  },
  commands: sealminerCommands,
  notes: [
    'How it is given pools, and whether and how it can be stopped, is not known: neither is offered.',
    'Its error words have no public list: they are given as they are.',
  ],
  defaults: { intervalMs: 15_000, timeoutMs: 10_000, credentials: [] },
})
