import type Hypercore from 'hypercore'
import { silentLog } from '#model'
import { openCores } from '../../src/replication/cores.js'
import { keys, mainName, openMain } from '../../src/replication/layout.js'

/** Works on a log of a feed, by its name, as if something had happened to its file. */
export async function meddle(path: string, feed: string, name: string, what: (log: Hypercore) => Promise<unknown>) {
  const cores = await openCores(path, silentLog)
  const table = openMain(cores.get({ key: Buffer.from(feed, 'hex') }))
  const key = name === mainName ? feed : ((await table.get(keys.log(name)))!.value as { key: string }).key
  const log = cores.get({ key: Buffer.from(key, 'hex') })
  await log.ready()
  await what(log)
  await table.close()
  await log.close()
  await cores.close()
}

interface Writing {
  putBlock(index: number, bytes: Uint8Array): void
  flush(): Promise<unknown>
}

/** A byte of a block is another than was written, and nothing says so. */
export async function flip(log: Hypercore): Promise<void> {
  const at = log.length - 1
  const bytes = Buffer.from((await log.get(at))!)
  bytes[bytes.length >> 1]! ^= 0x10
  const { storage } = log.core as unknown as { storage: { write(): Writing } }
  const writing = storage.write()
  writing.putBlock(at, bytes)
  await writing.flush()
}
