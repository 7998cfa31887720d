import { type CommandInput, SdkError } from '#model'
import type { Command, Commands, CommandVisit } from '../define.js'
import type { Io } from '../io.js'
import { settleMs, shown } from '../kit/shown.js'
import { multipartFile, verifiedSize } from '../kit/upload.js'
import { vnish, vnishPost } from '../kit/vnish.js'
import {
  setFan,
  setHashrateTarget,
  setHostname,
  setNetwork,
  setPassword,
  setPools,
  setPowerLimit,
  setTimezone,
} from './vnish-settings.js'

/** What VNish can be told (protocols/vnish.md §4). */

const post =
  (path: string, json?: object) =>
  (_: unknown, { io }: CommandVisit): Promise<void> =>
    vnishPost(io, path, json).then(none)
const none = () => undefined

/** It goes away over it: a lost answer is no failure, the read-back decides. */
const leaving =
  (path: string) =>
  async (_: unknown, { io }: CommandVisit): Promise<void> => {
    try {
      await vnishPost(io, path)
    } catch (error) {
      io.signal.throwIfAborted()
      if (!(error instanceof SdkError) || error.code !== 'DEVICE_TIMEOUT') throw error
    }
  }

/** Stopping a stopped miner is refused: there is nothing to do. */
const suspend: Command<'suspend'> = {
  run: async (input, visit) => (visit.before.asleep ? undefined : post('mining/stop')(input, visit)),
  ...shown.suspend,
}
const resume: Command<'resume'> = {
  run: async (input, visit) => (visit.before.asleep === false ? undefined : post('mining/start')(input, visit)),
  ...shown.resume,
}

const setPowerMode: Command<'setPowerMode'> = {
  check({ mode }) {
    if (mode !== 'sleep')
      throw new SdkError(
        'DEVICE_UNSUPPORTED',
        `this firmware has no mode ${mode}; set a power limit or a hashrate target`,
      )
  },
  run: (_, visit) => suspend.run({}, visit),
  ...shown.setPowerMode,
}

const full = 100

/** From 1.3 on; 100 ends it. */
const setPowerPercent: Command<'setPowerPercent'> = {
  check({ percent }) {
    if (percent < 1 || percent > full)
      throw new SdkError('BAD_REQUEST', `the power must be 1 to ${full} % here, not ${percent} %`)
  },
  run: ({ percent }, { io }) => vnishPost(io, 'mining/throttle', { percent }).then(none),
  settled: (now, { percent }) => (now.tuning?.percent ?? full) === percent,
  settleMs: settleMs.restart,
}

/** Newer builds have another name for it. */
const setLed: Command<'setLed'> = {
  async run({ on }, { io }) {
    try {
      await vnishPost(io, 'find-miner', { on })
    } catch (error) {
      if (!(error instanceof SdkError) || error.code !== 'DEVICE_UNSUPPORTED') throw error
      await vnishPost(io, 'locate-miner', { on })
    }
  },
  ...shown.setLed,
}

const logKinds = ['status', 'miner', 'autotune', 'system'] as const
const maxLogBytes = 16 * 1024 * 1024
const maxLog = 64 * 1024

/** The last part of each of its logs. */
const getLogs: Command<'getLogs'> = {
  async run(_, { io }) {
    const logs: Record<string, string> = {}
    for (const kind of logKinds) {
      try {
        const text = String(await vnish(io, { path: `logs/${kind}`, as: 'text', maxBytes: maxLogBytes }))
        logs[kind] = text.slice(-maxLog)
      } catch (error) {
        if (!(error instanceof SdkError) || error.code !== 'DEVICE_UNSUPPORTED') throw error
      }
    }
    if (Object.keys(logs).length === 0) throw new SdkError('DEVICE_UNSUPPORTED', 'this build gives no logs')
    return { logs }
  },
  settleMs: 0,
}

/** The settings are kept. Signs in first: the file is sent once. */
async function upload(io: Io, input: CommandInput<'updateFirmware'>) {
  const size = await verifiedSize(input)
  await vnish(io, { path: 'settings' })
  const raw = multipartFile({ name: 'file', path: input.path, size }, { keep_settings: 'true' })
  await vnish(io, { method: 'POST', path: 'firmware/update', raw, as: 'text' })
}

export const vnishCommands: Commands = {
  reboot: { run: leaving('system/reboot'), ...shown.reboot },
  restartMiner: { run: post('mining/restart'), ...shown.restartMiner },
  suspend,
  resume,
  setPowerMode,
  setPowerPercent,
  setPowerLimit,
  setHashrateTarget,
  setPools,
  setLed,
  setFan,
  setNetwork,
  setHostname,
  setTimezone,
  setPassword,
  getLogs,
  updateFirmware: { run: (input, { io }) => upload(io, input), ...shown.updateFirmware },
  factoryReset: { run: leaving('settings/factory-reset'), settleMs: 0 },
}
