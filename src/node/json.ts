/** Where a text stops being JSON, and why; line and column count from 1. */
export interface Fault {
  readonly line: number
  readonly column: number
  readonly message: string
}

const maxDepth = 64
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: a JSON string may hold none of them
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const word = /true|false|null/y
const space = /[ \t\r\n]*/y

/**
 * The first fault of a text that a person wrote as JSON. Node's own parser leaves out the place in some cases and lets a key that is given
 * twice pass, of which one value is lost; both matter in a configuration.
 */
export function findFault(text: string): Fault | undefined {
  let at = 0
  const fail = (message: string): never => {
    throw new SyntaxFault(at, message)
  }
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }
  const skip = () => void take(space)
  const see = () => (at < text.length ? JSON.stringify(text[at]) : 'the end')

  const value = (depth: number) => {
    if (depth > maxDepth) fail('nested too deeply')
    skip()
    if (text[at] === '{') members(depth)
    else if (text[at] === '[') items(depth)
    else if (text[at] === '"')
      take(string) ?? fail('a string that does not end, or with a character that must be escaped')
    else if (take(number) === undefined && take(word) === undefined) fail(`expected a value, found ${see()}`)
    skip()
  }

  const members = (depth: number) => {
    const keys = new Set<string>()
    at++
    skip()
    if (text[at] === '}') return void at++
    for (;;) {
      const start = at
      const key =
        take(string) ??
        fail(
          text[at] === '}' ? 'a comma before the closing bracket' : `expected a key in double quotes, found ${see()}`,
        )
      if (keys.has(key)) throw new SyntaxFault(start, `the key ${key} is given twice`)
      keys.add(key)
      skip()
      if (text[at] !== ':') fail(`expected ":" after the key ${key}, found ${see()}`)
      at++
      value(depth + 1)
      if (text[at] === '}') return void at++
      if (text[at] !== ',') fail(`expected "," or "}", found ${see()}`)
      at++
      skip()
    }
  }

  const items = (depth: number) => {
    at++
    skip()
    if (text[at] === ']') return void at++
    for (;;) {
      skip()
      if (text[at] === ']') fail('a comma before the closing bracket')
      value(depth + 1)
      if (text[at] === ']') return void at++
      if (text[at] !== ',') fail(`expected "," or "]", found ${see()}`)
      at++
    }
  }

  try {
    value(0)
    if (at < text.length) fail(`expected the end, found ${see()}`)
    return undefined
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error
    const before = text.slice(0, error.offset).split('\n')
    return { line: before.length, column: before.at(-1)!.length + 1, message: error.message }
  }
}

class SyntaxFault extends Error {
  readonly offset: number

  constructor(offset: number, message: string) {
    super(message)
    this.offset = offset
  }
}
