import type { Fields } from './json.js'
import { jsonEnd } from './tcp.js'

/**
 * The text form of cgminer's replies, which Avalons also give (protocols/avalon.md §1): sections separated by `|`, in them `key=value`
 * separated by `,`. Values may hold commas, line ends and brackets.
 */
const startsAsText = /^\s*[A-Z]{2,12}[=,]/
/** A section begins with its name; a bar in the middle of a message does not. */
const sectionBreak = /\|(?=\s*(?:[A-Z]{2,12}[=,]|$))/
/** A comma before the next key: nothing in between may be part of a bracketed value. */
const fieldBreak = /,(?=\s*[A-Za-z][^,=[\]|]*=)/
/** The names that JSON replies give the lists. */
const listNames: Readonly<Record<string, string>> = { POOL: 'POOLS', ASC: 'DEVS', PGA: 'DEVS' }

export function isTextReply(reply: Buffer): boolean {
  return startsAsText.test(reply.subarray(0, 32).toString('latin1'))
}

/** The reply in the shape of its JSON form: `{ STATUS: [{...}], POOLS: [{...}] }`, all values as text. */
export function textReply(reply: Buffer): Fields {
  const text = reply.toString('utf8').split('\0', 1)[0]!
  const lists = new Map<string, Fields[]>()
  for (const section of text.split(sectionBreak)) {
    const parts = section.trim().split(fieldBreak)
    const [name = '', ...rest] = /^[A-Z]{2,12},/.test(parts[0] ?? '') ? splitName(parts) : parts
    const key = name.split('=', 1)[0]!.trim()
    if (key === '') continue
    const list = listNames[key] ?? key
    const fields = name.includes('=') ? [name, ...rest] : rest
    lists.set(list, [...(lists.get(list) ?? []), Object.fromEntries(fields.map(pair))])
  }
  return Object.fromEntries(lists)
}

/** `SUMMARY,Elapsed=1` begins with a bare name. */
function splitName([first = '', ...rest]: readonly string[]): string[] {
  const at = first.indexOf(',')
  return [first.slice(0, at), first.slice(at + 1), ...rest]
}

function pair(text: string): [string, string] {
  const at = text.indexOf('=')
  return at < 0 ? [text.trim(), ''] : [text.slice(0, at).trim(), text.slice(at + 1).trim()]
}

/** Says when a reply is complete: JSON by its brackets, text by its NUL or the end of the connection. */
export function replyEnd(): (chunk: Buffer) => boolean {
  let isText: boolean | undefined
  const isJsonEnd = jsonEnd()
  return (chunk) => {
    isText ??= isTextReply(chunk)
    return isText ? chunk.includes(0) : isJsonEnd(chunk)
  }
}
