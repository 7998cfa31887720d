/**
 * Asks the HTTP face of the site in the folder of its argument, from the namespace in which it runs: a path, or `{ path, method, body }`, a
 * line of JSON on its standard input, and the answer, or null while there is none, a line on its standard output.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const storage = join(process.argv[2] ?? '.', 'data')

async function ask({ path, body }: { path: string; body?: unknown }): Promise<unknown> {
  const { url } = JSON.parse(readFileSync(join(storage, 'site.json'), 'utf8')) as { url: string }
  const token = readFileSync(join(storage, 'admin.token'), 'utf8').trim()
  const answer = await fetch(new URL(path, url), {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    signal: AbortSignal.timeout(10_000),
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  })
  return answer.json()
}

for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await ask(JSON.parse(line)).catch(() => null)))
