import type { CommandInput, Pool } from '#model'
import type { Command, Telemetry } from '../define.js'

/** How a change shows in what a device reports: for `settled` of commands, the same for all brands. */

/** Started again: the time since then is shorter than before. */
export function isLess(now: number | null | undefined, before: number | null | undefined): boolean {
  return now != null && before != null && now < before
}

/** The controller has started anew; where it does not tell its own time, mining has. */
export function isRebooted(now: Telemetry, _: unknown, before: Telemetry): boolean {
  if (before.uptimeS != null) return isLess(now.uptimeS, before.uptimeS)
  return isLess(now.miningUptimeS, before.miningUptimeS)
}

/** Mining has started anew. */
export function isRestarted(now: Telemetry, _: unknown, before: Telemetry): boolean {
  return isLess(now.miningUptimeS, before.miningUptimeS)
}

export const isAsleep = (now: Telemetry) => now.asleep === true
export const isAwake = (now: Telemetry) => now.asleep === false
export const hasLed = (now: Telemetry, { on }: { on: boolean }) =>
  on ? now.led === 'blink' || now.led === 'on' : now.led === 'off'

/** Exactly these pools, in this order. A device may add its port or a dot to a user only in its own list, so both must be equal. */
export function hasPools(now: Telemetry, { pools }: CommandInput<'setPools'>): boolean {
  return isPoolList(now, pools, (url) => url)
}

/** The same where the firmware leaves out the scheme of an address or writes it differently. */
export function hasPoolsByAddress(now: Telemetry, { pools }: CommandInput<'setPools'>): boolean {
  return isPoolList(now, pools, addressOf)
}

export function addressOf(url: string): string {
  return url.replace(/^[a-z0-9+]+:\/\//i, '').replace(/\/$/, '')
}

function isPoolList(
  { pools = [] }: Telemetry,
  wanted: CommandInput<'setPools'>['pools'],
  form: (url: string) => string,
): boolean {
  const order = (pool: Pool) => pool.priority ?? pool.index
  const shown = pools.filter(({ devFee }) => !devFee).sort((a, b) => order(a) - order(b))
  return (
    shown.length === wanted.length &&
    wanted.every(({ url, user }, at) => form(shown[at]!.url) === form(url) && shown[at]!.user === user)
  )
}

export function hasNetwork({ network }: Telemetry, input: CommandInput<'setNetwork'>): boolean {
  if (!network || network.dhcp !== input.dhcp) return false
  return (
    input.dhcp || (network.ip === input.ip && network.netmask === input.netmask && network.gateway === input.gateway)
  )
}

/** Settings show within seconds; a restart of mining, a reboot and an update take their time, ms. */
export const settleMs = { setting: 30_000, restart: 120_000, reboot: 240_000, update: 600_000 } as const

/** The commands that every firmware shows in the same way. */
export const shown = {
  reboot: { settleMs: settleMs.reboot, settled: isRebooted },
  restartMiner: { settleMs: settleMs.restart, settled: isRestarted },
  suspend: { settleMs: settleMs.restart, settled: isAsleep },
  resume: { settleMs: settleMs.restart, settled: isAwake },
  setLed: { settleMs: settleMs.setting, settled: hasLed },
  setPools: { settleMs: settleMs.restart, settled: hasPools },
  setPowerMode: {
    settleMs: settleMs.restart,
    settled: (now, { mode }) => (mode === 'sleep' ? isAsleep(now) : now.tuning?.mode === mode && !isAsleep(now)),
  },
  setHostname: { settleMs: settleMs.setting, settled: (now, { hostname }) => now.hostname === hostname },
  setNetwork: { settleMs: settleMs.reboot, settled: hasNetwork },
  updateFirmware: {
    settleMs: settleMs.update,
    settled: (now, _, before) => now.firmwareVersion !== undefined && now.firmwareVersion !== before.firmwareVersion,
  },
} as const satisfies { [N in keyof Shown]: Shown[N] }

type Shown = {
  [N in
    | 'reboot'
    | 'restartMiner'
    | 'suspend'
    | 'resume'
    | 'setLed'
    | 'setPools'
    | 'setPowerMode'
    | 'setHostname'
    | 'setNetwork'
    | 'updateFirmware']: Required<Pick<Command<N>, 'settled' | 'settleMs'>>
}
