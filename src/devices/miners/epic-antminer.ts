import { defineDevice } from '../define.js'
import { epicAntminerModel, epicAntminers } from '../hardware/epic.js'
import { rpcPort } from '../kit/cgminer.js'
import { epicCommands } from './epic-commands.js'
import { epicDefaults, epicIdentify, epicReads, epicTelemetry } from './epic-reads.js'

/** Antminers with ePIC's control board or firmware: umcOS, PowerPlay (protocols/epic.md). */
export const epicAntminer = defineDevice({
  library: 'miner-epic',
  kind: 'miner',
  make: 'Bitmain',
  family: 'epic',
  mainPort: rpcPort,
  models: epicAntminers,
  modelOf: epicAntminerModel,
  identify: epicIdentify(true),
  reads: epicReads,
  telemetry: epicTelemetry,
  commands: epicCommands,
  notes: ['The bodies of a network change and of a factory reset are not known: neither is offered.'],
  defaults: epicDefaults,
})
