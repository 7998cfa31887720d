import { createReadStream } from 'node:fs'
import { SdkError } from '#model'
import type { Command, Commands, CommandVisit, Telemetry } from '../define.js'
import { asicPath, axeos, axeosWrite } from '../kit/axeos.js'
import { checkFanInput } from '../kit/limits.js'
import { addressOf, isAsleep, isAwake, settleMs, shown } from '../kit/shown.js'
import { verifiedSize } from '../kit/upload.js'
import { parseAsic } from './bitaxe-info.js'

const settings = '/api/system'
/** So near is the same, in percent. */
const tolerancePct = 3

const post =
  (name: string) =>
  (_: unknown, { io }: CommandVisit) =>
    axeosWrite(io, 'POST', `${settings}/${name}`).then(none)
const none = () => undefined

const reboot: Command<'reboot'> = { run: post('restart'), ...shown.reboot }

const setLed: Command<'setLed'> = {
  check({ on }) {
    if (!on) throw new SdkError('DEVICE_UNSUPPORTED', 'it shows itself for a moment and stops by itself')
  },
  run: post('identify'),
  settleMs: 0,
}

const setHostname: Command<'setHostname'> = {
  run: ({ hostname }, { io }) => axeosWrite(io, 'PATCH', settings, { hostname }).then(none),
  ...shown.setHostname,
}

interface Stratum {
  readonly host: string
  readonly port: number
  readonly tls: boolean
}

function stratumOf(url: string): Stratum {
  const match = /^([a-z0-9+]+):\/\/\[?([^\s\]/]+?)\]?:(\d{1,5})\/?$/i.exec(url)
  const port = Number(match?.[3])
  if (!match?.[2] || port < 1 || port > 65535)
    throw new SdkError('BAD_REQUEST', `this firmware needs a host and a port: ${url}`)
  return { host: match[2], port, tls: /ssl|tls/i.test(match[1] ?? '') }
}

const maxPools = 2

/** Both places are written, the only pool twice, so that no foreign one stays in the second; a restart makes them count. */
const setPools: Command<'setPools'> = {
  check({ pools }) {
    if (pools.length > maxPools)
      throw new SdkError('BAD_REQUEST', `this firmware keeps ${maxPools} pools, not ${pools.length}`)
    for (const { url } of pools) stratumOf(url)
  },
  async run({ pools }, { io }) {
    const [first, second = first] = pools
    const names = ['stratum', 'fallbackStratum'] as const
    const body = [first!, second!].map((pool, place) => {
      const { host, port, tls } = stratumOf(pool.url)
      const name = names[place]!
      return {
        [`${name}URL`]: host,
        [`${name}Port`]: port,
        [`${name}User`]: pool.user,
        ...(pool.password === undefined ? {} : { [`${name}Password`]: pool.password }),
        ...(tls ? { [`${name}TLS`]: 1 } : {}),
      }
    })
    await axeosWrite(io, 'PATCH', settings, Object.assign({}, ...body))
    await axeosWrite(io, 'POST', `${settings}/restart`)
  },
  settled(now, { pools }) {
    const name = ({ url, user }: { url: string; user: string }) => `${addressOf(url)} ${user}`
    const seen = [...new Set((now.pools ?? []).map(name))]
    const wanted = [...new Set(pools.map(name))]
    return seen.length === wanted.length && wanted.every((each, at) => seen[at] === each)
  },
  settleMs: settleMs.restart,
}

/** One wrong name, and nothing is saved: newer builds have another name for the duty. */
const setFan: Command<'setFan'> = {
  check: (input) => checkFanInput(input, ['mode', 'dutyPct']),
  async run({ dutyPct }, { io }) {
    if (dutyPct === undefined) return void (await axeosWrite(io, 'PATCH', settings, { autofanspeed: 1 }))
    try {
      await axeosWrite(io, 'PATCH', settings, { autofanspeed: 0, fanspeed: dutyPct })
    } catch (error) {
      if (!(error instanceof SdkError) || error.code !== 'DEVICE_REFUSED') throw error
      await axeosWrite(io, 'PATCH', settings, { autofanspeed: 0, manualFanSpeed: dutyPct })
    }
  },
  settled: (now, { dutyPct }) =>
    dutyPct !== undefined && now.fanDutyPct != null && Math.abs(now.fanDutyPct - dutyPct) <= tolerancePct,
  settleMs: settleMs.setting,
}

/** The option nearest to the shift of the default; one outside of what the firmware offers is refused before anything is sent. */
const setFrequencyPercent: Command<'setFrequencyPercent'> = {
  async run({ percent }, { io }) {
    const { defaultMhz, optionsMhz } = parseAsic(await axeos.call(io, { path: asicPath }))
    if (!defaultMhz || optionsMhz.length === 0)
      throw new SdkError('DEVICE_UNSUPPORTED', 'this build does not say which frequencies it takes')
    const wanted = defaultMhz * (1 + percent / 100)
    const nearest = [...optionsMhz].sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted))[0]!
    if (Math.abs(nearest / wanted - 1) * 100 > tolerancePct)
      throw new SdkError('BAD_REQUEST', `this model takes ${optionsMhz.join(', ')} MHz, not ${Math.round(wanted)} MHz`)
    await axeosWrite(io, 'PATCH', settings, { frequency: nearest })
    await axeosWrite(io, 'POST', `${settings}/restart`)
  },
  settled: (now, { percent }) =>
    now.tuning?.frequencyPct != null && Math.abs(now.tuning.frequencyPct - percent) <= tolerancePct,
  settleMs: settleMs.restart,
}

const maxLog = 256 * 1024

const getLogs: Command<'getLogs'> = {
  async run(_, { io }) {
    const log = String(await axeos.call(io, { path: `${settings}/logs`, as: 'text' }))
    return { log: log.slice(-maxLog), complete: log.length <= maxLog }
  },
  settleMs: 0,
}

const updateFirmware: Command<'updateFirmware'> = {
  async run(file, { io }) {
    const size = await verifiedSize(file)
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(size) }
    const raw = { headers, body: () => createReadStream(file.path) }
    await axeos.call(io, { method: 'POST', path: `${settings}/OTA`, raw, as: 'text' })
  },
  ...shown.updateFirmware,
}

const common: Commands = { reboot, setLed, setHostname, setPools, setFan, setFrequencyPercent, getLogs, updateFirmware }

/** Builds before pause and resume answer 404 to them: DEVICE_UNSUPPORTED. */
export const bitaxeCommands: Commands = {
  ...common,
  suspend: { run: post('pause'), ...shown.suspend },
  resume: { run: post('resume'), ...shown.resume },
}

/** It is shut down, and only a restart wakes it. */
export const nerdaxeCommands: Commands = {
  ...common,
  suspend: { run: post('shutdown'), settled: (now: Telemetry) => isAsleep(now), settleMs: settleMs.restart },
  resume: {
    run: post('restart'),
    settled: (now: Telemetry) => isAwake(now) || (now.asleep === undefined && (now.hashrateThs ?? 0) > 0),
    settleMs: settleMs.restart,
  },
}
