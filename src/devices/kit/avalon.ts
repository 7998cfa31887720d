import { SdkError } from '#model'
import type { Io } from '../io.js'
import { rpcWrite } from './cgminer.js'
import { type Fields, fields, num, str } from './json.js'

/** The fields of a bracket string, `KEY[value] KEY[value] ...`, as text (protocols/avalon.md §3). */
export type Brackets = ReadonlyMap<string, string>

/** Whole words only: `MH[` stands also inside `DHW[`. */
const field = /(\w+)\[([^\]]*)\]/g
/** More fields than any miner has; records of the past may repeat without end. */
const maxFields = 2000

export function brackets(text: string): Brackets {
  const found = new Map<string, string>()
  for (const [, key = '', value = ''] of text.matchAll(field)) {
    if (!found.has(key)) found.set(key, value.trim())
    if (found.size >= maxFields) break
  }
  return found
}

/** The boards of `HBinfo`: `'HB0':{...} 'HB1':{...}`, by slot. */
export function boardBrackets(text: string): Map<number, Brackets> {
  const found = new Map<number, Brackets>()
  for (const [, slot = '', inner = ''] of text.matchAll(/'?HB(\d{1,2})'?\s*:\s*\{([^}]*)\}/g))
    found.set(Number(slot), brackets(inner))
  return found
}

/** A number, also with a unit behind it: `2.732%`. */
export function numberOf(text: string | undefined): number | undefined {
  return num(/^[-+]?[\d.]+(?:e[-+]?\d+)?/i.exec(text ?? '')?.[0])
}

/** A list of numbers separated by blanks; what is none is undefined in its place. */
export function numbersOf(text: string | undefined): (number | undefined)[] {
  const trimmed = text?.trim()
  return trimmed ? trimmed.split(/\s+/).slice(0, 1024).map(numberOf) : []
}

/**
 * `ascset|0,<option>[,<arguments>]`; answers its message. Letter S and I mean done, whatever the code; E throws DEVICE_REFUSED with the
 * miner's words, DEVICE_UNSUPPORTED for an option that this firmware does not have, DEVICE_AUTH for a wrong password.
 */
export async function ascset(io: Io, option: string, options: { mayLoseReply?: boolean } = {}): Promise<string> {
  try {
    return messageOf(await rpcWrite(io, { command: 'ascset', parameter: `0,${option}` }, options))
  } catch (error) {
    if (error instanceof SdkError && error.code === 'DEVICE_REFUSED') throw refusal(error)
    throw error
  }
}

function refusal(error: SdkError): SdkError {
  if (/auth|password/i.test(error.message))
    return new SdkError('DEVICE_AUTH', 'the device refuses the password of its web page', { cause: error })
  if (/unknown option|not support|missing option/i.test(error.message))
    return new SdkError('DEVICE_UNSUPPORTED', `this firmware cannot do it: ${error.message}`, { cause: error })
  return error
}

/** The first status of a reply. */
export function statusOf(reply: unknown): Fields {
  const { STATUS } = fields(reply)
  return fields(Array.isArray(STATUS) ? STATUS[0] : STATUS)
}

function messageOf(reply: unknown): string {
  return str(statusOf(reply).Msg) ?? ''
}
