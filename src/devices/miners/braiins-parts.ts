import type { Board, DeviceError, Fan } from '#model'
import type { Model } from '../define.js'
import { num, str } from '../kit/json.js'
import { topicOf } from '../kit/topics.js'
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

/** One finding from the firmware's own words; its code, reason and hint where it gives them. */
export function errorOf(message: string, own: { code?: unknown; reason?: unknown; hint?: unknown } = {}): DeviceError {
  const code = str(own.code)
  const reason = str(own.reason)
  const text = message
    .replace(/\{ERR:\w+\}\s*/g, '')
    .replace(/\s+/g, ' ')
    .slice(0, 200)
  const topic = topicOf(`${reason ?? ''} ${text}`)
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
