import { SdkError } from '#model'
import type { Command, Commands } from '../define.js'
import type { Io } from '../io.js'
import { fluxWrite } from '../kit/auradine.js'
import { checkFanInput, checkRange } from '../kit/limits.js'
import { settleMs, shown } from '../kit/shown.js'
import { locate, modes } from './auradine-parts.js'

/**
 * What FluxOS can be told (protocols/other-firmwares.md). Not among it: the network, whose form is not known, and a firmware file, for it
 * fetches its own from an address.
 */

/** It may go away over it: a lost answer is no failure, the read-back decides. */
async function leaving(io: Io, command: string, parameters: object = {}) {
  try {
    await fluxWrite(io, command, parameters)
  } catch (error) {
    io.signal.throwIfAborted()
    if (!(error instanceof SdkError) || error.code !== 'DEVICE_TIMEOUT') throw error
  }
}

const sleep = async (io: Io, on: boolean) => void (await fluxWrite(io, 'mode', { sleep: on ? 'on' : 'off' }))
const custom = async (io: Io, parameters: object) =>
  void (await fluxWrite(io, 'mode', { mode: 'custom', ...parameters }))

const setPowerMode: Command<'setPowerMode'> = {
  async run({ mode }, { io, before }) {
    if (mode === 'sleep') return sleep(io, true)
    await fluxWrite(io, 'mode', { mode: modes[mode] })
    if (before.asleep) await sleep(io, false)
  },
  ...shown.setPowerMode,
}

const setPowerLimit: Command<'setPowerLimit'> = {
  check({ watts }, model, { limits }) {
    if (watts < 1) throw new SdkError('BAD_REQUEST', 'the power limit must be at least 1 W')
    checkRange('power limit', watts, 'W', model.maxPowerW === undefined ? limits?.powerW : [1, model.maxPowerW])
  },
  run: ({ watts }, { io }) => custom(io, { tune: 'power', power: watts }),
  settled: (now, { watts }) => now.tuning?.mode === 'custom' && now.tuning.targetW === watts,
  settleMs: settleMs.restart,
}

const setHashrateTarget: Command<'setHashrateTarget'> = {
  run: ({ ths }, { io }) => custom(io, { tune: 'ths', ths }),
  settled: (now, { ths }) => now.tuning?.mode === 'custom' && now.tuning.targetThs === ths,
  settleMs: settleMs.restart,
}

/** The speed that is set comes back in steps of this, %. */
const dutyStep = 2

const setFan: Command<'setFan'> = {
  check(input, model) {
    if (model.fans === 0) throw new SdkError('DEVICE_UNSUPPORTED', 'this model has no fans')
    checkFanInput(input, ['mode', 'dutyPct'])
    if (input.dutyPct === undefined)
      throw new SdkError('DEVICE_UNSUPPORTED', 'how this firmware is given its fans back is not known: set dutyPct')
  },
  async run({ dutyPct }, { io, before }) {
    const fans = before.fans ?? []
    if (fans.length === 0) throw new SdkError('DEVICE_BAD_REPLY', 'its fans could not be read; nothing was set')
    for (const { index } of fans) await fluxWrite(io, 'fan', { index: index + 1, percentage: dutyPct })
  },
  settled: ({ fans = [] }, { dutyPct = 0 }) =>
    fans.length > 0 && fans.every((fan) => Math.abs((fan.dutyPct ?? -dutyStep) - dutyPct) <= dutyStep),
  settleMs: settleMs.setting,
}

const setPools: Command<'setPools'> = {
  run: async ({ pools }, { io }) => {
    const list = pools.map(({ url, user, password }) => ({ url, user, pass: password ?? '' }))
    await fluxWrite(io, 'updatepools', { pools: list })
  },
  ...shown.setPools,
}

const normal = 2

export const auradineCommands: Commands = {
  reboot: { run: (_, { io }) => leaving(io, 'restart'), ...shown.reboot },
  restartMiner: { run: (_, { io }) => leaving(io, 'restart', { parameter: 'gcminer' }), ...shown.restartMiner },
  suspend: { run: (_, { io }) => sleep(io, true), ...shown.suspend },
  resume: { run: (_, { io }) => sleep(io, false), ...shown.resume },
  setPowerMode,
  setPowerLimit,
  setHashrateTarget,
  setPools,
  setLed: {
    run: async ({ on }, { io }) => void (await fluxWrite(io, 'led', { code: on ? locate : normal })),
    ...shown.setLed,
  },
  setFan,
  factoryReset: { run: (_, { io }) => leaving(io, 'factory-reset'), settleMs: 0 },
}
