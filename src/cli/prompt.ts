import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { SdkError } from '#model'

/** Asks on a terminal; where nobody can answer, it refuses and says how to go on. */
export async function confirm(question: string): Promise<boolean> {
  requireTerminal('--yes')
  const answer = await ask(`${question} [y/N] `)
  return /^y(es)?$/i.test(answer.trim())
}

/** For what touches many devices: the number itself has to be typed. */
export async function confirmTyped(question: string, expected: string): Promise<boolean> {
  requireTerminal('--yes')
  return (await ask(`${question} Type ${expected} to go on: `)).trim() === expected
}

function requireTerminal(way: string) {
  if (!process.stdin.isTTY)
    throw new SdkError('BAD_REQUEST', `this needs a confirmation, and nobody can be asked here: add ${way}`)
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await lines.question(question)
  } finally {
    lines.close()
  }
}

/** Asks on a terminal for what nobody should see there: nothing that is typed appears. Ctrl-C cancels. */
export async function askHidden(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  const cancel = new AbortController()
  lines.once('SIGINT', () => cancel.abort())
  process.stderr.write(question)
  try {
    return await lines.question('', { signal: cancel.signal })
  } catch (error) {
    throw cancel.signal.aborted ? new SdkError('CANCELLED', 'interrupted') : error
  } finally {
    process.stderr.write('\n')
    lines.close()
  }
}

/**
 * A passphrase: from MININGSDK_PASSPHRASE, asked for on a terminal (a new one twice), or the first line of stdin. Never an argument. Throws
 * BAD_REQUEST if there is none or the two differ.
 */
export async function passphraseOf(env: NodeJS.ProcessEnv, { fresh }: { fresh: boolean }): Promise<string> {
  if (env.MININGSDK_PASSPHRASE) return env.MININGSDK_PASSPHRASE
  if (!process.stdin.isTTY) return secretFromStdin()
  const passphrase = await askHidden(fresh ? 'new passphrase: ' : 'passphrase: ')
  if (fresh && (await askHidden('the same again: ')) !== passphrase)
    throw new SdkError('BAD_REQUEST', 'the two passphrases differ')
  if (passphrase === '') throw new SdkError('BAD_REQUEST', 'no passphrase was given')
  return passphrase
}

const longestSecret = 4096

/** The first line of stdin: secrets never stand in arguments, where every process of the machine can read them. */
export async function secretFromStdin(): Promise<string> {
  let read = ''
  for await (const chunk of process.stdin) {
    read += chunk
    if (read.includes('\n') || read.length > longestSecret) break
  }
  const secret = read.split('\n', 1)[0]!.replace(/\r$/, '')
  if (secret === '' || secret.length > longestSecret) throw new SdkError('BAD_REQUEST', 'no secret came over stdin')
  return secret
}
