import { readFileSync } from 'node:fs'

/** The words of a command that a document shows (`npx miningsdk ...`), with what it leaves open filled in. Throws if it shows none. */
export function commandIn(document: string, start: string, fill: Record<string, string> = {}): string[] {
  const lines = [...readFileSync(document, 'utf8').matchAll(/^npx miningsdk ([^#\n]+)/gm)].map(([, text]) =>
    text!.trim(),
  )
  const found = lines.find((text) => text.startsWith(start))
  if (!found) throw new Error(`${document} has no command ${start}`)
  return found.split(' ').map((word) => fill[word] ?? word)
}
