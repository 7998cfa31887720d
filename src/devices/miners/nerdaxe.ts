import { defineDevice } from '../define.js'
import { bitaxeModel, nerdaxes } from '../hardware/bitaxe.js'
import { webPort } from '../kit/http.js'
import { nerdaxeCommands } from './bitaxe-commands.js'
import { axeosDefaults, axeosIdentify, axeosReads, axeosTelemetry } from './bitaxe-reads.js'

/** NerdAxe, NerdQAxe+ and ++ with the firmware that grew from ESP-Miner. */
export const nerdaxe = defineDevice({
  library: 'miner-bitaxe',
  kind: 'miner',
  make: 'NerdAxe',
  family: 'nerdqaxe',
  mainPort: webPort,
  models: nerdaxes,
  modelOf: bitaxeModel,
  identify: axeosIdentify(true),
  reads: axeosReads,
  telemetry: axeosTelemetry,
  commands: nerdaxeCommands,
  defaults: axeosDefaults,
})
