import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import test, { type Assertions } from 'brittle'
import { type SdkError, silentLog } from '#model'
import { createNode } from '#node'
import { run } from './programs.js'

const timeout = 60_000

async function open(t: Assertions, storage: string) {
  const node = await createNode({ site: 'north', storage, services: [], log: silentLog })
  t.teardown(() => node.close())
  return node
}

async function refusal(storage: string): Promise<SdkError | undefined> {
  try {
    const node = await createNode({ site: 'north', storage, services: [], log: silentLog })
    await node.close()
    return undefined
  } catch (error) {
    return error as SdkError
  }
}

test('a second node on the same folder is refused, in the same process too', async (t) => {
  const storage = await t.tmp()
  const node = await open(t, storage)
  const error = await refusal(storage)
  t.is(error?.code, 'STORE_LOCKED')
  t.ok(error?.message.includes(`process ${process.pid}`), error?.message)
  await node.close()
  t.is(await refusal(storage), undefined, 'free again after the close')
  t.alike(await readdir(storage), ['identity.key'], 'nothing is left of the lock')
})

test('a second process is refused, and told who has the folder; a killed one blocks nobody', { timeout }, async (t) => {
  const storage = await t.tmp()
  const site = run(t, 'site', [storage, 'nothing'])
  await site.line('ready')
  const error = await refusal(storage)
  t.is(error?.code, 'STORE_LOCKED')
  t.ok(error?.message.includes(`process ${site.child.pid}`), error?.message)
  t.is((error?.details as { pid: number } | undefined)?.pid, site.child.pid)
  site.child.kill('SIGKILL')
  await site.end()
  t.ok((await readdir(storage)).includes('node.lock'), 'it had no time to tidy up')
  t.is(await refusal(storage), undefined)
})

test('a lock whose pid is in use again by another process is dead', async (t) => {
  const storage = await t.tmp()
  const dead = { token: 'x', pid: process.ppid, host: hostname(), began: '1' }
  await writeFile(join(storage, 'node.lock'), JSON.stringify(dead))
  t.is(await refusal(storage), undefined)
  await writeFile(join(storage, 'node.lock'), JSON.stringify({ ...dead, pid: process.pid, began: null }))
  t.is(await refusal(storage), undefined, 'even if it is our own')
})

test('a lock of another host counts while it is touched', async (t) => {
  const storage = await t.tmp()
  const path = join(storage, 'node.lock')
  await writeFile(path, JSON.stringify({ token: 'x', pid: 1, host: 'another', began: null }))
  const error = await refusal(storage)
  t.is(error?.code, 'STORE_LOCKED')
  t.ok(error?.message.includes('process 1 on another, seen'), error?.message)
  const longAgo = new Date(Date.now() - 60_000)
  await utimes(path, longAgo, longAgo)
  t.is(await refusal(storage), undefined)
})

test('a lock that nobody finished to write counts for a moment only', async (t) => {
  const storage = await t.tmp()
  const path = join(storage, 'node.lock')
  for (const text of ['', '{"tok', '[]', '{"token":3}']) {
    await writeFile(path, text)
    t.is((await refusal(storage))?.code, 'STORE_LOCKED')
    const longAgo = new Date(Date.now() - 60_000)
    await utimes(path, longAgo, longAgo)
    t.is(await refusal(storage), undefined)
  }
})

test('of many who find a dead lock at once, one gets the folder', async (t) => {
  for (let round = 0; round < 10; round++) {
    const storage = await t.tmp()
    await writeFile(join(storage, 'node.lock'), JSON.stringify({ token: 'x', pid: 1, host: hostname(), began: '1' }))
    const nodes = await Promise.allSettled(
      Array.from({ length: 8 }, () => createNode({ site: 'north', storage, services: [], log: silentLog })),
    )
    const opened = nodes.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const refused = nodes.flatMap((result) => (result.status === 'rejected' ? [result.reason as SdkError] : []))
    t.is(opened.length, 1)
    t.ok(refused.every(({ code }) => code === 'STORE_LOCKED'))
    await Promise.all(opened.map((node) => node.close()))
  }
})

test('the folders are for their owner only', { skip: process.platform === 'win32' }, async (t) => {
  const storage = join(await t.tmp(), 'deep', 'data')
  const node = await open(t, storage)
  t.is((await stat(storage)).mode & 0o777, 0o700)
  t.is((await stat(join(storage, 'node.lock'))).mode & 0o777, 0o600)
  t.absent((await readFile(join(storage, 'node.lock'), 'utf8')).includes('north'))
  await node.close()
})

test('a folder that cannot be made or written is said by its name', async (t) => {
  const file = join(await t.tmp(), 'a-file')
  await writeFile(file, '')
  for (const storage of [file, join(file, 'below')]) {
    const error = await refusal(storage)
    t.is(error?.code, 'STORE_FAILED')
    t.ok(error?.message.includes(file))
  }
})
