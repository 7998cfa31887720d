import { SdkError } from '#model'
import type { Command, Commands } from '../define.js'
import type { Io } from '../io.js'
import { pagePath, sealWeb, sealWrite } from '../kit/sealminer.js'
import { settleMs, shown } from '../kit/shown.js'
import { parseInfo } from './sealminer-replies.js'

/** What a SealMiner can be told (protocols/other-firmwares.md). How it is given pools, and whether it can be stopped, is not known. */

const setPowerMode: Command<'setPowerMode'> = {
  check({ mode }) {
    if (mode === 'sleep') throw new SdkError('DEVICE_UNSUPPORTED', 'how this firmware is stopped is not known')
  },
  /** It says itself which number each of its modes has. */
  async run({ mode }, { io }) {
    if (mode === 'sleep') return
    const { modes } = parseInfo(await sealWeb.call(io, { path: pagePath('get_system_info') }))
    const number = modes[mode]
    if (number === undefined) throw new SdkError('DEVICE_UNSUPPORTED', `this miner has no mode ${mode}`)
    await sealWrite(io, 'set_mining_mode', { miningMode: number })
  },
  ...shown.setPowerMode,
}

/** It goes away over it: a lost answer is no failure, the read-back decides. */
async function reboot(io: Io) {
  // Signs in first: a GET that does something is sent once.
  await sealWeb.call(io, { path: pagePath('get_system_info') })
  try {
    await sealWrite(io, 'reboot')
  } catch (error) {
    io.signal.throwIfAborted()
    if (!(error instanceof SdkError) || error.code !== 'DEVICE_TIMEOUT') throw error
  }
}

export const sealminerCommands: Commands = {
  reboot: { run: (_, { io }) => reboot(io), settleMs: settleMs.reboot, settled: shown.reboot.settled },
  setPowerMode,
  setLed: {
    run: async ({ on }, { io }) => void (await sealWrite(io, 'led_conf', { key: 'led', value: on ? 'on' : 'off' })),
    ...shown.setLed,
  },
}
