import { defineDevice } from '../define.js'
import { blockMinerModel, blockMiners } from '../hardware/epic.js'
import { rpcPort } from '../kit/cgminer.js'
import { epicCommands } from './epic-commands.js'
import { epicDefaults, epicIdentify, epicReads, epicTelemetry } from './epic-reads.js'

/** ePIC's own miners (protocols/epic.md): REST on the port where others have their RPC. */
export const epicMiner = defineDevice({
  library: 'miner-epic',
  kind: 'miner',
  make: 'ePIC',
  family: 'stock',
  mainPort: rpcPort,
  models: blockMiners,
  modelOf: blockMinerModel,
  identify: epicIdentify(false),
  reads: epicReads,
  telemetry: epicTelemetry,
  commands: epicCommands,
  notes: ['The bodies of a network change and of a factory reset are not known: neither is offered.'],
  defaults: epicDefaults,
})
