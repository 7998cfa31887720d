import { defineDevice, type Evidence, type Match, type Probe, read } from '../define.js'
import { protoModel, protoName, protoRigs } from '../hardware/proto.js'
import { webPort } from '../kit/http.js'
import { proto as ask, type ProtoRequest, protoRest } from '../kit/proto.js'
import { mayBe, webPage } from '../kit/signs.js'
import { attempt, defined } from '../kit/values.js'
import { protoCommands } from './proto-commands.js'
import { parseErrors, protoErrors } from './proto-errors.js'
import { boardsOf, fansOf, isAsleep, limitsOf, modeOf, sumOf } from './proto-parts.js'
import {
  parseBoards,
  parseCooling,
  parseHardware,
  parseMining,
  parseProtoNetwork,
  parseProtoPools,
  parseSystem,
  parseTarget,
  parseTelemetry,
} from './proto-replies.js'

const halfMinute = 30_000
const minute = 60_000
const fiveMinutes = 300_000
const tenMinutes = 600_000

const get = <T>(path: string, parse: (reply: unknown) => T, options: Parameters<typeof read>[3] = {}) =>
  read(protoRest, { path } as ProtoRequest, parse, options)

/** Who it is, which it tells without a login. */
const protoSystem: Probe = {
  name: 'proto system',
  port: webPort,
  when: mayBe('proto'),
  run: (io) => ask({ ...io, credentials: [] }, { path: '/system', maxBytes: 64 * 1024 }),
}

function match(seen: Evidence): Match | undefined {
  const system = attempt(() => parseSystem(seen.answer(protoSystem)))
  const names = [system?.product, system?.make, system?.system].filter((name) => name !== undefined)
  const named = names.find((name) => /^proto(\b|os)/i.test(name))
  if (!system || named === undefined) return undefined
  return {
    confidence: 1,
    model: protoName(system.product ?? system.model),
    firmware: system.version,
    why: [`its system information says ${named}`],
  }
}

/** Block's Proto Rig: REST below `/api/v1` (protocols/proto-rig.md). Only who it is and what it is made of it tells without a password. */
export const protoRig = defineDevice({
  library: 'miner-proto',
  kind: 'miner',
  make: 'Proto',
  family: 'stock',
  mainPort: webPort,
  models: protoRigs,
  modelOf: protoModel,
  identify: { probes: [webPage, protoSystem], match },
  reads: {
    system: get('/system', parseSystem, { everyMs: tenMinutes, lasting: true }),
    mining: get('/mining', parseMining),
    telemetry: get('/telemetry?level=miner,hashboard,psu', parseTelemetry),
    chips: get('/telemetry?level=asic', parseTelemetry, { everyMs: fiveMinutes, optional: true }),
    hardware: get('/hardware', parseHardware, { everyMs: tenMinutes, lasting: true }),
    boards: read(protoRest, { path: '/hashboards', each: 'board' } as ProtoRequest, parseBoards, {
      everyMs: minute,
      optional: true,
    }),
    cooling: get('/cooling', parseCooling, { everyMs: halfMinute, optional: true }),
    pools: get('/pools', parseProtoPools, { everyMs: halfMinute }),
    errors: get('/errors', parseErrors, { everyMs: halfMinute, optional: true }),
    target: get('/mining/target', parseTarget, { everyMs: minute, optional: true }),
    network: get('/network', parseProtoNetwork, { everyMs: tenMinutes, optional: true }),
  },
  telemetry(from) {
    return {
      model: from('system', (s) => protoName(s.product ?? s.model)),
      firmwareVersion: from('system', (s) => s.version),
      controlBoard: from('system', (s) => s.board),
      serial: [from('system', (s) => s.serial), from('hardware', (h) => h.serial)],
      hostname: [from('network', (n) => n.hostname), from('system', (s) => s.hostname)],
      mac: from('network', (n) => n.mac),
      network: from('network', (n) => n.network),
      psu: from('hardware', (h) => h.psu),

      hashrateThs: [from('mining', (m) => m.nowThs), from('telemetry', (t) => t.rateThs)],
      hashrateAvgThs: from('mining', (m) => m.averageThs),
      expectedHashrateThs: from('mining', (m) => m.idealThs),
      powerW: [from('mining', (m) => m.powerW), from('telemetry', (t) => t.powerW)],
      dcPowerW: from('telemetry', (t) => sumOf(t.psus, 'outputW')),
      powerLimitW: [from('target', (t) => t.watts), from('mining', (m) => m.targetW)],
      efficiencyJTh: [from('mining', (m) => m.jth), from('telemetry', (t) => t.jth)],
      psuInputPowerW: from('telemetry', (t) => sumOf(t.psus, 'inputW')),
      psuInputCurrentA: from('telemetry', (t) => sumOf(t.psus, 'inputA')),
      psuInputVoltageV: from('telemetry', (t) => t.psus[0]?.inputV),
      psuOutputVoltageV: from('telemetry', (t) => t.psus[0]?.outputV),
      psuTempC: from('telemetry', (t) => t.psus.reduce<number | undefined>(hotter, undefined)),
      boardTempAvgC: from('mining', (m) => m.boardC),
      chipTempAvgC: from('mining', (m) => m.chipC),
      uptimeS: [from('mining', (m) => m.uptimeS), from('system', (s) => s.uptimeS)],
      miningUptimeS: from('mining', (m) => m.miningS),
      hwErrors: from('mining', (m) => m.hwErrors),

      boards: [
        from('telemetry', (t, _, all) => boardsOf(t.boards, all)),
        from('boards', (boards, _, all) => boardsOf(boards, all)),
        from('hardware', (_, __, all) => boardsOf([], all)),
      ],
      fans: from('cooling', fansOf),
      fanDutyPct: from('cooling', (c) => c.dutyPct),
      fanSetting: from('cooling', ({ mode, dutyPct, targetC }) =>
        mode === undefined ? undefined : { mode, ...defined({ dutyPct, targetTempC: targetC }) },
      ),
      pools: from('pools', (pools) => (pools.length > 0 ? pools : undefined)),

      tuning: [
        from('target', (t, _, { mining }) => defined({ mode: modeOf(t, mining), targetW: t.watts, preset: t.mode })),
        from('mining', (m) => (m.targetW === undefined ? undefined : { targetW: m.targetW })),
      ],
      limits: from('target', limitsOf),
      asleep: from('mining', isAsleep),
      errors: [from('mining', (_, __, all) => protoErrors(all)), from('errors', (_, __, all) => protoErrors(all))],
    }
  },
  commands: protoCommands,
  defaults: { intervalMs: 15_000, timeoutMs: 8000, credentials: [] },
})

function hotter(hottest: number | undefined, { hotC }: { hotC?: number }): number | undefined {
  return hotC === undefined || (hottest !== undefined && hottest > hotC) ? hottest : hotC
}
