import { type Evidence, type From, type Identify, type Match, type Probe, read, type TelemetryMap } from '../define.js'
import { epicName, isAntminer } from '../hardware/epic.js'
import { rpcPort, rpcVersion } from '../kit/cgminer.js'
import { epic, epicClient } from '../kit/epic.js'
import { fields, str } from '../kit/json.js'
import { mayBe, pageSign, webPage } from '../kit/signs.js'
import { attempt } from '../kit/values.js'
import { boardsOf, epicErrors, isAsleep, isIdle, meanOf, sumOf, tuningOf } from './epic-parts.js'
import { parseCapabilities, parseEpicNetwork, parsePerBoard, parseSummary } from './epic-replies.js'

const fiveMinutes = 300_000
const tenMinutes = 600_000

const get = <T>(path: string, parse: (reply: unknown) => T, options: Parameters<typeof read>[3] = {}) =>
  read(epicClient.protocol, { path }, parse, options)

export const epicReads = {
  summary: get('/summary', parseSummary),
  temps: get('/temps', parsePerBoard, { optional: true }),
  capabilities: get('/capabilities', parseCapabilities, { everyMs: tenMinutes, lasting: true }),
  network: get('/network', parseEpicNetwork, { everyMs: tenMinutes, optional: true }),
  chips: get('/hashrate', parsePerBoard, { everyMs: fiveMinutes, optional: true }),
  chipTemps: get('/temps/chip', parsePerBoard, { everyMs: fiveMinutes, optional: true }),
}

interface Web {
  readonly summary: unknown
  readonly capabilities: unknown
}

/** Its port is that of others' RPC: it is asked where that was no RPC. */
const epicWeb: Probe = {
  name: 'epic summary',
  port: rpcPort,
  when: (seen) => mayBe('epic')(seen) && seen.answer(rpcVersion) === undefined,
  async run(io): Promise<Web> {
    const summary = await epic(io, '/summary')
    return { summary, capabilities: await epic(io, '/capabilities').catch(() => undefined) }
  },
}

/** On an Antminer it is an after-market firmware, on its own machines the vendor's. */
export function epicIdentify(onAntminer: boolean): Identify {
  const match = (seen: Evidence): Match | undefined => {
    const web = seen.answer(epicWeb) as Web | undefined
    const summary = attempt(() => parseSummary(web?.summary))
    if (!summary) return undefined
    const named = /powerplay|umc|epic/i.test(`${summary.software ?? ''} ${str(fields(web?.summary)['OS Type']) ?? ''}`)
    const text = attempt(() => parseCapabilities(web?.capabilities))?.model
    if (isAntminer(text) !== onAntminer) return undefined
    return {
      confidence: named || pageSign(seen) === 'epic' ? 1 : 0.8,
      model: epicName(text),
      firmware: summary.software,
      why: [`its summary is that of ePIC's firmware${summary.software ? `: ${summary.software}` : ''}`],
    }
  }
  return { probes: [webPage, rpcVersion, epicWeb], match }
}

export const epicTelemetry = (from: From<typeof epicReads>): TelemetryMap => ({
  model: from('capabilities', (c) => epicName(c.model)),
  firmwareVersion: from('summary', (s) => s.software),
  controlBoard: from('capabilities', (c) => c.controlBoard),
  serial: from('capabilities', (c) => c.serial),
  hostname: from('summary', (s) => s.hostname),
  psu: from('capabilities', (c) => c.psu),
  mac: from('network', (n) => n.mac),
  network: from('network', (n) => n.network),
  led: from('summary', (s) => (s.blinks === undefined ? undefined : s.blinks ? 'blink' : 'off')),

  // Without boards in its list an idle miner makes nothing; a busy one has not said.
  hashrateThs: from('summary', (s) => sumOf(s.boards, 'rateThs') ?? (isIdle(s) ? 0 : undefined)),
  hashrateAvgThs: from('summary', (s) => s.averageThs),
  expectedHashrateThs: from('summary', (s) => sumOf(s.boards, 'idealThs')),
  nominalHashrateThs: from('capabilities', (c) => c.nominalThs),
  miningUptimeS: from('summary', (s) => s.uptimeS),
  acceptedShares: from('summary', (s) => s.accepted),
  rejectedShares: from('summary', (s) => s.rejected),
  hwErrorPct: from('summary', (s) => meanOf(s.boards, 'errorPct')),
  frequencyMhz: from('summary', (s) => meanOf(s.boards, 'frequencyMhz')),

  powerW: from('summary', (s) => s.inputW),
  dcPowerW: from('summary', (s) => s.outputW),
  powerLimitW: from('summary', ({ tune }) => (tune?.running && tune.unit === 'W' ? tune.target : undefined)),
  psuInputPowerW: from('summary', (s) => s.inputW),
  psuInputVoltageV: from('summary', (s) => s.inputV),
  psuInputCurrentA: from('summary', (s) => s.inputA),
  psuOutputVoltageV: from('summary', (s) => s.outputV),

  boards: from('summary', (s, _, all) => boardsOf(s, all)),
  fans: from('summary', ({ fans }) => (fans.length > 0 ? [...fans] : undefined)),
  fanDutyPct: from('summary', (s) => s.fanDutyPct),
  fanSetting: from('summary', (s) => s.fanSetting),
  pools: from('summary', ({ pools }) => (pools.length > 0 ? [...pools] : undefined)),

  tuning: from('summary', tuningOf),
  tuningNow: from('summary', (s) => (/tun|adjust/i.test(s.state) ? true : undefined)),
  limits: from('capabilities', (c) => c.limits),
  asleep: from('summary', isAsleep),
  errors: from('summary', epicErrors),
})

export const epicDefaults = {
  intervalMs: 15_000,
  timeoutMs: 10_000,
  credentials: [{ username: '', password: 'letmein' }],
}
