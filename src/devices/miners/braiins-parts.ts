import type { Board, DeviceError, Fan, Severity } from '#model'
import type { Model } from '../define.js'
import { num, str } from '../kit/json.js'
import { maxParts, tidy } from '../kit/values.js'

/** What all interfaces of Braiins OS have in common. */

const s9FirstBoard = 6

/** Slots of boards by their names: S9 and some X17 count from 6, others from 1. */
export function slotOf(names: readonly unknown[]): (name: unknown) => number {
  const numbers = names.map(num).filter((each) => each !== undefined)
  const first = numbers.length === 0 ? 1 : Math.min(...numbers)
  const base = first >= s9FirstBoard ? s9FirstBoard : Math.min(1, first)
  return (name) => Math.min(maxParts - 1, Math.max(0, Math.floor((num(name) ?? base) - base)))
}

export const inOrder = (a: Board, b: Board) => a.slot - b.slot

/** MH/s as TH/s. */
export function thsOfMhs(value: unknown): number | undefined {
  const mhs = num(value)
  return mhs === undefined || mhs < 0 ? undefined : tidy(mhs / 1e6)
}

/** Controllers of old models name four places for fans of which they have two: what the model does not have, and what stands behind the last turning one of an unknown model, is none. */
export function fitted(fans: readonly Fan[], { fans: count }: Model): Fan[] {
  const last = Math.max(-1, ...fans.filter(({ rpm }) => rpm).map(({ index }) => index))
  return fans.filter(({ index, rpm }) => rpm || index < (count ?? last + 1))
}

/** What the words of a message are about, where no code says it; the first that fits is it. */
const topics: readonly (readonly [
  RegExp,
  Pick<DeviceError, 'component' | 'code'> & { readonly severity: Severity; readonly action: string },
])[] = [
  [
    /overheat|dangerous|too hot|over temperature/i,
    {
      component: 'cooling',
      code: 'overheated',
      severity: 'critical',
      action: 'Check cooling and dust before it is started again.',
    },
  ],
  [
    /fan/i,
    { component: 'fan', code: 'fan', severity: 'high', action: 'Check and replace the fan; the miner may overheat.' },
  ],
  [
    /psu|power supply|voltage|overcurrent/i,
    {
      component: 'psu',
      code: 'psu',
      severity: 'high',
      action: 'Check the power supply, its cables and bus bars; lower the power target.',
    },
  ],
  [
    /resolve|dns|unreachable|network/i,
    { component: 'network', code: 'network', severity: 'low', action: 'Check DNS, gateway and the pool addresses.' },
  ],
  [
    /pool|stratum/i,
    { component: 'pool', code: 'pool', severity: 'low', action: 'Check the pool address and the account.' },
  ],
  [
    /sensor|temperature/i,
    {
      component: 'board',
      code: 'board-sensor',
      severity: 'low',
      action: 'Watch the board; have its sensor repaired if others follow.',
    },
  ],
  [
    /licen[cs]e|restricted/i,
    { component: 'security', code: 'license', severity: 'medium', action: 'Check the licence of the firmware.' },
  ],
  [
    /chip|hash ?board|chain/i,
    {
      component: 'board',
      code: 'board-fault',
      severity: 'medium',
      action: 'Check its cables and power, then restart; have it repaired if it stays.',
    },
  ],
  [
    /tuner|tuning/i,
    {
      component: 'device',
      code: 'tuning-failed',
      severity: 'medium',
      action: 'Set a lower power target and let it tune again.',
    },
  ],
]
const otherTopic = {
  component: 'device',
  code: 'device-error',
  severity: 'medium',
  action: 'See the log of the miner.',
} as const

/** One finding from the firmware's own words; its code, reason and hint where it gives them. */
export function errorOf(message: string, own: { code?: unknown; reason?: unknown; hint?: unknown } = {}): DeviceError {
  const code = str(own.code)
  const reason = str(own.reason)
  const text = message
    .replace(/\{ERR:\w+\}\s*/g, '')
    .replace(/\s+/g, ' ')
    .slice(0, 200)
  const topic = topics.find(([pattern]) => pattern.test(`${reason ?? ''} ${text}`))?.[1] ?? otherTopic
  const slot = num(
    /hash ?board (\d+)|hb(\d+)/i
      .exec(message)
      ?.slice(1)
      .find((each) => each !== undefined),
  )
  return {
    code: topic.code,
    severity: topic.severity,
    component: topic.component,
    ...(topic.component === 'board' && slot !== undefined && slot > 0 ? { index: slot - 1 } : {}),
    ...(code === undefined ? {} : { vendorCode: code }),
    message: reason ?? text,
    ...(reason === undefined ? {} : { cause: text }),
    action: str(own.hint)?.replace(/\s+/g, ' ').slice(0, 400) ?? topic.action,
  }
}

const maxErrors = 20

/** The same finding again says nothing new. */
export function distinct(errors: readonly DeviceError[]): DeviceError[] {
  const seen = new Map(
    errors.map((error) => [`${error.code} ${error.vendorCode} ${error.index} ${error.message}`, error]),
  )
  return [...seen.values()].slice(-maxErrors)
}
