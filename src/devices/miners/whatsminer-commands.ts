import { SdkError } from '#model'
import type { Commands } from '../define.js'
import type { Io } from '../io.js'
import { downloadLogs, forgetSession, uploadFirmware, write } from '../kit/btminer-write.js'
import { firmwareFile, logResult } from './whatsminer-files.js'
import {
  checkFan,
  checkFrequencyPercent,
  checkPassword,
  checkPowerLimit,
  checkPowerPercent,
  shown,
} from './whatsminer-limits.js'

const lossy = { mayLoseReply: true }
const poolPlaces = [1, 2, 3] as const
const maxTuningSpeed = 9
/** Blinks red, ms; the times are numbers in this command, texts elsewhere. */
const blink = { color: 'red', period: 200, duration: 100, start: 0 }
/** From this API version on the percent is of the nominal power, before of the present one. */
const percentV2From = [2, 0, 5] as const

function isAtLeast(version: string | undefined, wanted: readonly number[]): boolean {
  const parts = (version ?? '').split('.').map(Number)
  for (const [index, number] of wanted.entries()) {
    const part = parts[index] ?? 0
    if (part !== number) return part > number
  }
  return true
}

/** Resolves to nothing: what the firmware says of a setting is no more than that it took it. */
async function set(io: Io, cmd: string, params: object = {}, options = {}): Promise<undefined> {
  await write(io, cmd, params, options)
}

/** All commands of API v1 and v2 (protocols/whatsminer.md §1.5). Values are texts unless said. */
export const whatsminerCommands: Commands = {
  reboot: { ...shown.reboot, run: (_, { io }) => set(io, 'reboot', { respbefore: 'true' }, lossy) },
  restartMiner: { ...shown.restartMiner, run: (_, { io }) => set(io, 'restart_btminer', {}, lossy) },
  suspend: { ...shown.suspend, run: (_, { io }) => set(io, 'power_off', { respbefore: 'true' }, lossy) },
  resume: { ...shown.resume, run: (_, { io }) => set(io, 'power_on', {}, lossy) },
  setPowerMode: {
    ...shown.setPowerMode,
    async run({ mode }, { io, before }) {
      if (mode === 'sleep') return set(io, 'power_off', { respbefore: 'true' }, lossy)
      if (before.asleep) await set(io, 'power_on', {}, lossy)
      return set(io, `set_${mode}_power`, {}, lossy)
    },
  },
  setPowerLimit: {
    ...shown.setPowerLimit,
    check: checkPowerLimit,
    run: ({ watts }, { io }) => set(io, 'adjust_power_limit', { power_limit: String(watts) }, lossy),
  },
  setPowerPercent: {
    ...shown.setPowerPercent,
    check: checkPowerPercent,
    run: ({ percent }, { io, before }) =>
      set(io, isAtLeast(before.apiVersion, percentV2From) ? 'set_power_pct_v2' : 'set_power_pct', {
        percent: String(percent),
      }),
  },
  setFrequencyPercent: {
    ...shown.setFrequencyPercent,
    check: checkFrequencyPercent,
    run: ({ percent }, { io }) => set(io, 'set_target_freq', { percent: String(percent) }, lossy),
  },
  setTuningSpeed: {
    settleMs: 0,
    check({ speed }) {
      if (speed > maxTuningSpeed)
        throw new SdkError('BAD_REQUEST', `this firmware takes a speed of 0 to 9, not ${speed}`)
    },
    run: ({ speed }, { io }) => set(io, 'adjust_upfreq_speed', { upfreq_speed: String(speed) }),
  },
  setFastBoot: {
    settleMs: 0,
    run: ({ on }, { io }) => set(io, on ? 'enable_btminer_fast_boot' : 'disable_btminer_fast_boot'),
  },
  setPools: {
    ...shown.setPools,
    run: ({ pools }, { io }) => {
      const places = poolPlaces.map((place, index) => [
        [`pool${place}`, pools[index]?.url ?? ''],
        [`worker${place}`, pools[index]?.user ?? ''],
        [`passwd${place}`, pools[index]?.password ?? ''],
      ])
      return set(io, 'update_pools', Object.fromEntries(places.flat()))
    },
  },
  setWebPools: { settleMs: 0, run: ({ on }, { io }) => set(io, on ? 'enable_web_pools' : 'disable_web_pools') },
  setLed: { ...shown.setLed, run: ({ on }, { io }) => set(io, 'set_led', on ? blink : { param: 'auto' }) },
  setFan: {
    settleMs: 0,
    check: checkFan,
    async run({ tempOffsetC, zeroSpeed, coolWhenOff }, { io }) {
      if (tempOffsetC !== undefined) await set(io, 'set_temp_offset', { temp_offset: String(tempOffsetC) })
      if (zeroSpeed !== undefined) await set(io, 'set_fan_zero_speed', { fan_zero_speed: zeroSpeed ? '1' : '0' })
      if (coolWhenOff !== undefined) await set(io, 'set_poweroff_cool', { poweroff_cool: coolWhenOff ? '1' : '0' })
    },
  },
  setNetwork: {
    ...shown.setNetwork,
    run: (input, { io, before }) => {
      if (input.dhcp) return set(io, 'net_config', { param: 'dhcp' }, lossy)
      const { ip, netmask, gateway, dns } = input
      const host = input.hostname ?? before.hostname ?? 'WhatsMiner'
      return set(io, 'net_config', { ip, mask: netmask, gate: gateway, dns: dns.join(' '), host }, lossy)
    },
  },
  setHostname: { ...shown.setHostname, run: ({ hostname }, { io }) => set(io, 'set_hostname', { hostname }) },
  setTimezone: {
    settleMs: 0,
    run: ({ timezone, zonename }, { io }) => set(io, 'set_zone', { timezone, zonename }),
  },
  setPassword: {
    settleMs: 0,
    check(input) {
      checkPassword(input)
      if (input.account !== undefined && input.account !== 'admin')
        throw new SdkError('BAD_REQUEST', 'this firmware has only the account admin')
    },
    async run({ password }, { io }) {
      await write(io, 'update_pwd', (old) => ({ old, new: password }))
      forgetSession(io)
    },
  },
  setLogServer: {
    settleMs: 0,
    run: ({ host, port, proto }, { io }) => set(io, 'load_log', { ip: host, port: String(port), proto }),
  },
  getLogs: { settleMs: 0, run: async (_, { io }) => logResult(await downloadLogs(io)) },
  updateFirmware: {
    settleMs: 0,
    async run(input, { io }) {
      await uploadFirmware(io, await firmwareFile(input))
    },
  },
  factoryReset: {
    settleMs: 0,
    async run(_, { io }) {
      await set(io, 'factory_reset', {}, lossy)
      forgetSession(io)
    },
  },
}
