import { SdkError } from '#model'
import type { Commands } from '../define.js'
import type { Io } from '../io.js'
import { lengthOf } from '../kit/btminer-write.js'
import { fields, str } from '../kit/json.js'
import { forgetSalt, messageOfV3, receive, writeV3 } from '../kit/whatsminer-v3.js'
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
const blink = [{ color: 'red', period: 200, duration: 100, start: 0 }]
const firmwareMs = 300_000
const logMs = 60_000
const account = 'super'

async function set(io: Io, cmd: string, param?: unknown, options = {}): Promise<undefined> {
  await writeV3(io, cmd, param, options)
}

/** All commands of API v3 (protocols/whatsminer.md §2.4). */
export const whatsminerV3Commands: Commands = {
  reboot: { ...shown.reboot, run: (_, { io }) => set(io, 'set.system.reboot', undefined, lossy) },
  restartMiner: { ...shown.restartMiner, run: (_, { io }) => set(io, 'set.miner.service', 'restart', lossy) },
  suspend: { ...shown.suspend, run: (_, { io }) => set(io, 'set.miner.service', 'stop', lossy) },
  resume: { ...shown.resume, run: (_, { io }) => set(io, 'set.miner.service', 'start', lossy) },
  setPowerMode: {
    ...shown.setPowerMode,
    async run({ mode }, { io, before }) {
      if (mode === 'sleep') return set(io, 'set.miner.service', 'stop', lossy)
      if (before.asleep) await set(io, 'set.miner.service', 'start', lossy)
      return set(io, 'set.miner.power_mode', mode, lossy)
    },
  },
  setPowerLimit: {
    ...shown.setPowerLimit,
    check: checkPowerLimit,
    run: ({ watts }, { io }) => set(io, 'set.miner.power_limit', watts, lossy),
  },
  setPowerPercent: {
    ...shown.setPowerPercent,
    check: checkPowerPercent,
    // The documentation says number, the firmware reads a text.
    run: ({ percent }, { io }) => set(io, 'set.miner.power_percent', { percent: String(percent), mode: 'normal' }),
  },
  setFrequencyPercent: {
    ...shown.setFrequencyPercent,
    check: checkFrequencyPercent,
    run: ({ percent }, { io }) => set(io, 'set.miner.target_freq', percent, lossy),
  },
  setTuningSpeed: { settleMs: 0, run: ({ speed }, { io }) => set(io, 'set.miner.upfreq_speed', speed) },
  setFastBoot: { settleMs: 0, run: ({ on }, { io }) => set(io, 'set.miner.fastboot', on ? 'enable' : 'disable') },
  setPools: {
    ...shown.setPools,
    run: ({ pools }, { io }) => {
      const param = pools.map(({ url, user, password }) => ({ pool: url, worker: user, passwd: password ?? '' }))
      return set(io, 'set.miner.pools', param, { encrypted: true })
    },
  },
  setWebPools: { settleMs: 0, run: ({ on }, { io }) => set(io, 'set.system.webpools', on ? 'enable' : 'disable') },
  setLed: { ...shown.setLed, run: ({ on }, { io }) => set(io, 'set.system.led', on ? blink : 'auto') },
  setFan: {
    settleMs: 0,
    check: checkFan,
    async run({ tempOffsetC, zeroSpeed, coolWhenOff }, { io }) {
      if (tempOffsetC !== undefined) await set(io, 'set.fan.temp_offset', tempOffsetC)
      if (zeroSpeed !== undefined) await set(io, 'set.fan.zero_speed', zeroSpeed ? 1 : 0)
      if (coolWhenOff !== undefined) await set(io, 'set.fan.poweroff_cool', coolWhenOff ? 1 : 0)
    },
  },
  setHeatMode: { settleMs: 0, run: ({ mode }, { io }) => set(io, 'set.miner.heat_mode', mode) },
  setNetwork: {
    ...shown.setNetwork,
    async run(input, { io }) {
      if (input.hostname !== undefined) await set(io, 'set.system.hostname', { hostname: input.hostname })
      if (input.dhcp) return set(io, 'set.system.net_config', 'dhcp', lossy)
      const { ip, netmask, gateway, dns } = input
      return set(io, 'set.system.net_config', { ip, netmask, gateway, dns: dns.join(' ') }, lossy)
    },
  },
  setHostname: { ...shown.setHostname, run: ({ hostname }, { io }) => set(io, 'set.system.hostname', { hostname }) },
  setTimezone: {
    settleMs: 0,
    run: ({ timezone, zonename }, { io }) => set(io, 'set.system.timezone', { timezone, zonename }),
  },
  setPassword: {
    settleMs: 0,
    check: checkPassword,
    async run(input, { io }) {
      const change = (own: { username: string; password: string }) => ({
        account: input.account ?? own.username ?? account,
        new: input.password,
        old: own.password,
      })
      await writeV3(io, 'set.user.change_passwd', change, { encrypted: true })
      forgetSalt(io)
    },
  },
  setLogServer: {
    settleMs: 0,
    run: ({ host, port, proto }, { io }) => set(io, 'set.log.upload', { ip: host, port: String(port), proto }),
  },
  getLogs: {
    settleMs: 0,
    run: (_, { io }) =>
      writeV3(io, 'get.log.download', undefined, {
        replyMs: logMs,
        goOn: async (line, message) => logResult(await line.take(lengthOf(fields(message).logsize, 'the log'))),
      }),
  },
  updateFirmware: {
    settleMs: 0,
    async run(input, { io }) {
      const file = await firmwareFile(input)
      const length = Buffer.alloc(4)
      length.writeUInt32LE(file.length)
      await writeV3(io, 'set.system.update_firmware', undefined, {
        replyMs: firmwareMs,
        async goOn(line, message) {
          if (str(message) !== 'ready') throw new SdkError('DEVICE_REFUSED', 'the device is not ready for the firmware')
          line.send(length)
          line.send(file)
          return messageOfV3(await receive(line, 'set.system.update_firmware'), 'set.system.update_firmware')
        },
      })
    },
  },
  factoryReset: {
    settleMs: 0,
    async run(_, { io }) {
      await set(io, 'set.system.factory_reset', undefined, lossy)
      forgetSalt(io)
    },
  },
}
