import { type CommandInput, SdkError } from '#model'
import type { Command, Commands } from '../define.js'
import type { Io } from '../io.js'
import { fields, str } from '../kit/json.js'
import { checkFanInput, checkRange } from '../kit/limits.js'
import { bearer, proto, protoClient } from '../kit/proto.js'
import { hasPoolsByAddress, settleMs, shown } from '../kit/shown.js'
import { multipartFile, verifiedSize } from '../kit/upload.js'
import { goals } from './proto-parts.js'
import { parseProtoNetwork, parseTarget } from './proto-replies.js'

/** What a Proto Rig can be told (protocols/proto-rig.md §3). It answers at once and does it afterwards. */

const post = async (io: Io, path: string) => void (await proto(io, { method: 'POST', path }))
const put = (io: Io, path: string, json: unknown) => proto(io, { method: 'PUT', path, json })

/** Target and goal are written together: what is not to be changed is sent as it is. */
async function setTarget(io: Io, change: { power_target_watts?: number; performance_mode?: string }) {
  const { watts, mode } = parseTarget(await proto(io, { path: '/mining/target' }))
  await put(io, '/mining/target', {
    ...(watts === undefined ? {} : { power_target_watts: watts }),
    ...(mode === undefined ? {} : { performance_mode: mode }),
    ...change,
  })
}

const setPowerLimit: Command<'setPowerLimit'> = {
  check: ({ watts }, _, before) => checkRange('power target', watts, 'W', before.limits?.powerW),
  run: ({ watts }, { io }) => setTarget(io, { power_target_watts: watts }),
  settled: (now, { watts }) => now.tuning?.targetW === watts,
  settleMs: settleMs.setting,
}

const setPowerMode: Command<'setPowerMode'> = {
  check({ mode }) {
    if (mode === 'normal')
      throw new SdkError('DEVICE_UNSUPPORTED', 'a rig has low (its goal Efficiency), high (MaximumHashrate) and sleep')
  },
  async run({ mode }, { io, before }) {
    if (mode === 'sleep') return post(io, '/mining/stop')
    await setTarget(io, { performance_mode: goals[mode as keyof typeof goals] })
    if (before.asleep) await post(io, '/mining/start')
  },
  ...shown.setPowerMode,
}

const setPools: Command<'setPools'> = {
  run: async ({ pools }, { io }) => {
    const list = pools.map(({ url, user, password }, priority) => ({
      name: `Pool ${priority + 1}`,
      url,
      username: user,
      password: password ?? '',
      priority,
    }))
    await proto(io, { method: 'POST', path: '/pools', json: list })
  },
  settled: hasPoolsByAddress,
  settleMs: settleMs.restart,
}

/** It blinks for a time; none ends it. */
const blinkS = 300

const setLed: Command<'setLed'> = {
  async run({ on }, { io }) {
    await post(io, `/system/locate?led_on_time=${on ? blinkS : 0}`)
    return on ? { blinks: `for ${blinkS} s` } : undefined
  },
  settleMs: 0,
}

const setFan: Command<'setFan'> = {
  check: (input) => checkFanInput(input, ['mode', 'dutyPct', 'targetTempC']),
  async run({ dutyPct, targetTempC }, { io, before }) {
    const target = targetTempC ?? before.fanSetting?.targetTempC
    const automatic = { mode: 'Auto', ...(target === undefined ? {} : { target_temperature_c: target }) }
    await put(io, '/cooling', dutyPct === undefined ? automatic : { mode: 'Manual', speed_percentage: dutyPct })
  },
  settled: ({ fanSetting }, { dutyPct, targetTempC }) =>
    dutyPct === undefined
      ? fanSetting?.mode === 'auto' && (targetTempC === undefined || fanSetting.targetTempC === targetTempC)
      : fanSetting?.mode === 'manual' && fanSetting.dutyPct === dutyPct,
  settleMs: settleMs.setting,
}

const noDns = 'this firmware takes no name servers: dns was not set'

const setNetwork: Command<'setNetwork'> = {
  async run(input, { io, before }) {
    const hostname = input.hostname ?? before.hostname
    const name = hostname === undefined ? {} : { hostname }
    if (input.dhcp) return void (await put(io, '/network', { 'network-config': { dhcp: true, ...name } }))
    const { ip, netmask, gateway } = input
    await put(io, '/network', { 'network-config': { dhcp: false, ip, netmask, gateway, ...name } })
    return { note: noDns }
  },
  ...shown.setNetwork,
}

const setHostname: Command<'setHostname'> = {
  async run({ hostname }, { io }) {
    const { network } = parseProtoNetwork(await proto(io, { path: '/network' }))
    const isWhole = network.dhcp === true || (network.ip && network.netmask && network.gateway)
    // The name is written together with the address: a half-known address would be lost by it.
    if (!isWhole)
      throw new SdkError('DEVICE_BAD_REPLY', 'its network configuration cannot be read whole; nothing was written')
    const address = network.dhcp ? { dhcp: true } : { ...network, dhcp: false }
    await put(io, '/network', { 'network-config': { ...address, hostname } })
  },
  ...shown.setHostname,
}

/** A rig that is new takes its first password from whoever comes; afterwards the present one has to be known. */
async function changePassword(io: Io, password: string) {
  const status = fields(await proto(io, { path: '/system/status' }))
  if (status.password_set === false) return void (await put(io, '/auth/password', { password }))
  await proto(io, { path: '/mining/target' })
  const present = protoClient.account(io)?.password ?? io.credentials[0]?.password
  if (present === undefined) throw new SdkError('DEVICE_AUTH', 'its present password is needed to change it')
  await put(io, '/auth/change-password', { current_password: present, new_password: password })
}

const setPassword: Command<'setPassword'> = {
  check({ account }) {
    if (account !== undefined) throw new SdkError('DEVICE_UNSUPPORTED', 'a rig has one password and no accounts')
  },
  async run({ password }, { io }) {
    await changePassword(io, password)
    protoClient.forget(io)
    if ((await bearer(io, password)) === undefined)
      throw new SdkError('READ_BACK_FAILED', 'it took the new password, but does not let us in with it')
    return { verified: 'the new password was used to sign in; set it as the credentials of this device' }
  },
  settleMs: 0,
}

const logLines = 2000
const maxLogBytes = 16 * 1024 * 1024
const maxLog = 256 * 1024

const getLogs: Command<'getLogs'> = {
  async run(_, { io }) {
    const path = `/system/logs?lines=${logLines}`
    const text = String(await proto(io, { path, as: 'text', maxBytes: maxLogBytes }))
    return { log: text.slice(-maxLog), complete: text.length <= maxLog }
  },
  settleMs: 0,
}

async function upload(io: Io, input: CommandInput<'updateFirmware'>) {
  const size = await verifiedSize(input)
  // Signs in first: the file is sent once, not again after a refused first try.
  await proto(io, { path: '/mining/target' })
  const raw = multipartFile({ name: 'file', path: input.path, size })
  const reply = fields(await proto(io, { method: 'PUT', path: '/system/update', raw }))
  const message = str(reply.message)
  return message === undefined ? undefined : { message }
}

export const protoCommands: Commands = {
  reboot: { run: (_, { io }) => post(io, '/system/reboot'), ...shown.reboot },
  suspend: { run: (_, { io }) => post(io, '/mining/stop'), ...shown.suspend },
  resume: { run: (_, { io }) => post(io, '/mining/start'), ...shown.resume },
  setPowerMode,
  setPowerLimit,
  setPools,
  setLed,
  setFan,
  setNetwork,
  setHostname,
  setPassword,
  getLogs,
  updateFirmware: { run: (input, { io }) => upload(io, input), ...shown.updateFirmware },
}
