import { type PowerMode, SdkError } from '#model'
import type { Command, Commands, Model, Telemetry } from '../define.js'
import { antminerFacts } from '../hardware/antminer.js'
import type { Io } from '../io.js'
import { cgiPath, factoryLogin, web, webPort } from '../kit/bitmain.js'
import { digestHttp, forgetLogin, loginInUse } from '../kit/http-digest.js'
import { parseNetwork, writeNetwork } from './antminer-settings.js'
import { change, upload, write } from './antminer-writes.js'

/** The mining process restarts after a change; the web interface is away for some seconds of it. */
const restartMs = 60_000
/** A reboot until the miner is seen to have started anew. */
const rebootMs = 180_000
const updateMs = 300_000
const networkMs = 15_000
const ledMs = 5000

const modeBeforeSleep = 'antminer: mode before sleep'

function needsJsonWeb(model: Model) {
  if (antminerFacts(model).oldWeb)
    throw new SdkError('DEVICE_UNSUPPORTED', 'the web interface of this generation cannot be written safely')
}

function setMode(io: Io, mode: PowerMode) {
  return change(io, (conf) => {
    if (mode === 'sleep' && conf.mode !== 'sleep') io.memory.set(modeBeforeSleep, conf.mode)
    return { mode }
  })
}

const isMode = (now: Telemetry, mode: PowerMode) =>
  mode === 'sleep' ? now.asleep === true : now.asleep !== true && now.tuning?.mode === mode

const suspend: Command<'suspend'> = {
  check: (_, model) => needsJsonWeb(model),
  run: (_, { io }) => setMode(io, 'sleep'),
  settled: (now) => isMode(now, 'sleep'),
  settleMs: restartMs,
}

const resume: Command<'resume'> = {
  check: (_, model) => needsJsonWeb(model),
  run: (_, { io }) =>
    change(io, ({ mode }) => {
      const awake = (io.memory.get(modeBeforeSleep) as PowerMode | undefined) ?? 'normal'
      return { mode: mode === undefined || mode === 'sleep' ? awake : mode }
    }),
  settled: (now) => now.asleep !== true && now.tuning?.mode !== undefined && now.tuning.mode !== 'sleep',
  settleMs: restartMs,
}

const setPowerMode: Command<'setPowerMode'> = {
  check({ mode }, model) {
    needsJsonWeb(model)
    const modes = antminerFacts(model).modes ?? ['normal', 'sleep']
    if (!modes.includes(mode))
      throw new SdkError('DEVICE_UNSUPPORTED', `this model has no mode ${mode}; it has ${modes.join(', ')}`)
  },
  run: ({ mode }, { io }) => setMode(io, mode),
  settled: (now, { mode }) => isMode(now, mode),
  settleMs: restartMs,
}

const setPools: Command<'setPools'> = {
  check: (_, model) => needsJsonWeb(model),
  run: ({ pools }, { io }) => change(io, () => ({ pools })),
  settled(now, { pools }) {
    const seen = [...(now.pools ?? [])].sort((a, b) => a.index - b.index)
    return (
      seen.length === pools.length &&
      pools.every(({ url, user }, at) => seen[at]!.url === url && seen[at]!.user === user)
    )
  },
  settleMs: restartMs,
}

const setFan: Command<'setFan'> = {
  check(input, model) {
    needsJsonWeb(model)
    if (model.fans === 0) throw new SdkError('DEVICE_UNSUPPORTED', 'this model has no fans')
    const { mode, dutyPct, ...others } = input
    const other = Object.keys(others)[0]
    if (other) throw new SdkError('DEVICE_UNSUPPORTED', `stock firmware cannot set ${other}`)
    if (mode === 'manual' && dutyPct === undefined) throw new SdkError('BAD_REQUEST', 'a manual mode needs dutyPct')
    if (mode === 'auto' && dutyPct !== undefined) throw new SdkError('BAD_REQUEST', 'dutyPct is for the manual mode')
  },
  run: ({ dutyPct }, { io }) =>
    change(io, () => ({ fan: dutyPct === undefined ? { manual: false } : { manual: true, dutyPct } })),
  // Without the configuration in hand no duty would look like the automatic one.
  settled: (now, { dutyPct }) => now.tuning?.mode != null && (now.fanDutyPct ?? undefined) === dutyPct,
  settleMs: restartMs,
}

/** Below this share of the nominal frequency there is no evidence that any model works. */
const lowestShift = -60

const setFrequencyPercent: Command<'setFrequencyPercent'> = {
  check({ percent }, model, before) {
    needsJsonWeb(model)
    if (before.tuning?.frequencyPct == null)
      throw new SdkError('DEVICE_UNSUPPORTED', 'this build has no frequency level in its configuration')
    if (percent > 0 || percent < lowestShift)
      throw new SdkError('BAD_REQUEST', `stock firmware takes ${lowestShift} to 0 % of shift, not ${percent} %`)
  },
  run: ({ percent }, { io }) => change(io, () => ({ frequencyPct: percent })),
  settled: (now, { percent }) => now.tuning?.frequencyPct === percent,
  settleMs: restartMs,
}

/** Mining has started anew: its time runs from 0 again. */
function restarted(now: Telemetry, _: unknown, before: Telemetry): boolean {
  return now.miningUptimeS != null && before.miningUptimeS != null && now.miningUptimeS < before.miningUptimeS
}

const restartMiner: Command<'restartMiner'> = {
  check: (_, model) => needsJsonWeb(model),
  // There is no command for it: taking a configuration restarts the mining process, also the one that it has.
  run: (_, { io }) => change(io, () => ({}), true),
  settled: restarted,
  settleMs: rebootMs,
}

const reboot: Command<'reboot'> = {
  run: (_, { io }) => write(io, { cgi: 'reboot', once: true }),
  settled: restarted,
  settleMs: rebootMs,
}

const setLed: Command<'setLed'> = {
  run({ on }, { io, model }) {
    const form = { action: on ? 'startBlink' : 'stopBlink' }
    const isOld = antminerFacts(model).oldWeb === true
    // The old one answers a start only when the blinking ends.
    return write(io, isOld ? { cgi: 'blink', form } : { cgi: 'blink', json: { blink: on } }, ledMs)
  },
  settled: (now, { on }) => now.led === (on ? 'blink' : 'off'),
  settleMs: ledMs,
}

const setNetwork: Command<'setNetwork'> = {
  check: (_, model) => needsJsonWeb(model),
  async run(input, { io }) {
    const present = parseNetwork(await web(io, { cgi: 'get_network_info' }))
    const hostname = input.hostname ?? present.hostname ?? 'Antminer'
    await write(io, { cgi: 'set_network_conf', json: writeNetwork(hostname, input) })
  },
  settled: (now, input) =>
    now.network?.dhcp === input.dhcp &&
    (input.dhcp || (now.network.ip === input.ip && now.network.gateway === input.gateway)),
  settleMs: networkMs,
}

const setHostname: Command<'setHostname'> = {
  check: (_, model) => needsJsonWeb(model),
  async run({ hostname }, { io }) {
    const { network } = parseNetwork(await web(io, { cgi: 'get_network_info' }))
    const isWhole =
      network.dhcp === true || (network.dhcp === false && network.ip && network.netmask && network.gateway)
    // The name is written together with the address: a half-known address would be lost by it.
    if (!isWhole)
      throw new SdkError('DEVICE_BAD_REPLY', 'its network configuration cannot be read whole; nothing was written')
    await write(io, { cgi: 'set_network_conf', json: writeNetwork(hostname, network) })
  },
  settled: (now, { hostname }) => now.hostname === hostname,
  settleMs: networkMs,
}

const setPassword: Command<'setPassword'> = {
  check({ account }, model) {
    needsJsonWeb(model)
    if (account !== undefined && account !== 'root')
      throw new SdkError('DEVICE_UNSUPPORTED', 'it has only the account root')
  },
  async run({ password }, { io }) {
    await web(io, { cgi: 'get_system_info' })
    const { username, password: present } = loginInUse(io, webPort) ?? factoryLogin[0]!
    await write(io, { cgi: 'passwd', json: { curPwd: present, newPwd: password, confirmPwd: password } })
    forgetLogin(io, webPort)
    const asNew = { ...io, credentials: [{ username, password }], memory: new Map() }
    await digestHttp(asNew, webPort, { path: cgiPath('get_system_info') }, [])
    return { verified: 'the new password was used to sign in; set it as the credentials of this device' }
  },
  settleMs: 0,
}

const factoryReset: Command<'factoryReset'> = {
  check: (_, model) => needsJsonWeb(model),
  run: (_, { io }) => write(io, { cgi: 'reset_conf', json: {} }),
  settleMs: 0,
}

const logCgis = ['log', 'get_kernel_log', 'hlog'] as const
/** So much of its end is given. */
const maxLog = 256 * 1024
const maxLogRead = 32 * 1024 * 1024

const getLogs: Command<'getLogs'> = {
  async run(_, { io }) {
    for (const cgi of logCgis) {
      try {
        const text = String(await web(io, { cgi, as: 'text', maxBytes: maxLogRead }))
        return { log: text.slice(-maxLog), complete: text.length <= maxLog }
      } catch (error) {
        if (!(error instanceof SdkError) || error.code !== 'DEVICE_UNSUPPORTED') throw error
      }
    }
    throw new SdkError('DEVICE_UNSUPPORTED', 'this firmware gives no log')
  },
  settleMs: 0,
}

const updateFirmware: Command<'updateFirmware'> = {
  check: (_, model) => needsJsonWeb(model),
  run: (input, { io }) => upload(io, input),
  settled: (now, _, before) => now.firmwareVersion !== undefined && now.firmwareVersion !== before.firmwareVersion,
  settleMs: updateMs,
}

export const antminerCommands: Commands = {
  reboot,
  restartMiner,
  suspend,
  resume,
  setPowerMode,
  setFrequencyPercent,
  setPools,
  setLed,
  setFan,
  setNetwork,
  setHostname,
  setPassword,
  getLogs,
  updateFirmware,
  factoryReset,
}
