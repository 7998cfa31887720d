import { defineDevice } from '../define.js'
import { bitaxeModel, bitaxes } from '../hardware/bitaxe.js'
import { webPort } from '../kit/http.js'
import { bitaxeCommands } from './bitaxe-commands.js'
import { axeosDefaults, axeosIdentify, axeosReads, axeosTelemetry } from './bitaxe-reads.js'

/** Bitaxe and its like with AxeOS (ESP-Miner). */
export const bitaxe = defineDevice({
  library: 'miner-bitaxe',
  kind: 'miner',
  make: 'Bitaxe',
  family: 'axeos',
  mainPort: webPort,
  models: bitaxes,
  modelOf: bitaxeModel,
  identify: axeosIdentify(false),
  reads: axeosReads,
  telemetry: axeosTelemetry,
  commands: bitaxeCommands,
  defaults: axeosDefaults,
})
