import { SdkError } from '#model'

/** Defects are met in replies of a few kB; a longer text is not worth nine more looks. */
const repairUpTo = 512 * 1024
const excerptLength = 80

/** What firmwares get wrong, in the order in which it is put right (protocols/cgminer.md §5). Each is linear in the text. */
const repairs: readonly ((text: string) => string)[] = [
  // biome-ignore lint/suspicious/noControlCharactersInRegex: raw control characters are the defect
  (text) => text.replace(/[\x00-\x1f]+/g, ' ').trim(),
  (text) => text.replace(/,\s*([}\]])/g, '$1'),
  (text) => text.replace(/}\s*{/g, '},{'),
  (text) => text.replace(/\[\s*,\s*/g, '['),
  (text) => text.replace(/""(?=[A-Za-z])/g, '","'),
  (text) => text.replace(/([:,[]\s*)[-+]?(?:nan|inf(?:inity)?)(?=\s*[,}\]])/gi, '$1null'),
  (text) => text.replace(/^\s*,/, '{'),
  (text) => text.replace(/("error_code"\s*:\s*)\[([^[\]{}]*)\]/g, '$1{$2}'),
]

/**
 * The value of a device's reply: plain JSON first, the repairs of known firmware defects only after it failed. Throws DEVICE_TIMEOUT if
 * the text ends in the middle ("half an answer") and DEVICE_BAD_REPLY if it is empty or no JSON.
 */
export function parseJson(reply: Buffer | string): unknown {
  const text = untilNul(typeof reply === 'string' ? reply : reply.toString('utf8'))
  try {
    return JSON.parse(text)
  } catch {
    return parseRepaired(text)
  }
}

function parseRepaired(text: string): unknown {
  if (text.trim() === '') throw new SdkError('DEVICE_BAD_REPLY', 'the reply is empty')
  if (text.length <= repairUpTo) {
    let better = text
    for (const repair of repairs) {
      const next = repair(better)
      if (next === better) continue
      better = next
      try {
        return JSON.parse(better)
      } catch {
        // The next repair may be the one that is missing.
      }
    }
  }
  if (isUnfinished(text)) throw new SdkError('DEVICE_TIMEOUT', `only half an answer: ${text.length} characters`)
  throw new SdkError('DEVICE_BAD_REPLY', `the reply is no JSON: ${JSON.stringify(text.slice(0, excerptLength))}`)
}

function untilNul(text: string): string {
  const end = text.indexOf('\0')
  return end < 0 ? text : text.slice(0, end)
}

/** Starts like JSON and ends with something still open. */
function isUnfinished(text: string): boolean {
  return /^\s*[{[]/.test(text) && openBrackets(text).length > 0
}

/** The brackets and the quote that are still open at the end, outermost first. */
function openBrackets(text: string): string[] {
  const open: string[] = []
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (inString) {
      if (char === '\\') at++
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === '{' || char === '[') open.push(char)
    else if (char === '}' || char === ']') open.pop()
  }
  if (inString) open.push('"')
  return open
}

/**
 * The part of a cut-off list that did arrive: cut at the last comma, all brackets closed. Only for replies whose list a firmware is known
 * to cut (hundreds of errors): anywhere else a missing half would look like missing hardware. Throws as `parseJson` does.
 */
export function parseCutJson(reply: Buffer | string): unknown {
  try {
    return parseJson(reply)
  } catch (error) {
    const text = untilNul(typeof reply === 'string' ? reply : reply.toString('utf8'))
    const cut = text.slice(0, Math.max(0, text.lastIndexOf(',')))
    if (!cut || !isUnfinished(text)) throw error
    const closers = openBrackets(cut)
      .reverse()
      .map((open) => (open === '{' ? '}' : open === '[' ? ']' : '"'))
    return parseJson(cut + closers.join(''))
  }
}

export type Fields = Readonly<Record<string, unknown>>

/** The value as an object, or an empty one: missing fields are then simply not reported. */
export function fields(value: unknown): Fields {
  return isObject(value) ? value : {}
}

export function isObject(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** The objects of a list; anything else in it is skipped, anything else than a list is empty. */
export function rows(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** Nothing is counted or measured beyond it: hashes of a life, shares, watts. What is converted stays finite. */
const most = 1e24
const sane = (number: number) => (Math.abs(number) <= most ? number : undefined)

/** A number, also from its text; '' , 'nan', 'inf', null, what is too great to be anything, and everything else are undefined. */
export function num(value: unknown): number | undefined {
  if (typeof value === 'number') return sane(value)
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (!/^[-+]?\.?\d/.test(text)) return undefined
  return sane(Number(text))
}

/** A text without outer blanks; numbers become text, '' is undefined. */
export function str(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (typeof value !== 'string') return undefined
  return value.trim() || undefined
}

const truths = new Map<unknown, boolean>([
  ...['true', '1', 'y', 'yes', 'on', 'enable', 'enabled'].map((word) => [word, true] as const),
  ...['false', '0', 'n', 'no', 'off', 'disable', 'disabled'].map((word) => [word, false] as const),
])

export function bool(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  return truths.get(str(value)?.toLowerCase())
}
