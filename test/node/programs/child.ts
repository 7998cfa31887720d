// A process that a node supervises. Arguments: the storage folder and what it does once it runs.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLog, createNode } from '#node'
import { serveChannel } from '#rpc'
import { place } from '../nodes.js'

const [storage, deed] = process.argv.slice(2) as [string, string]
const deeds: Record<string, () => void> = {
  'ends at once': () => process.exit(7),
  'hangs at once': () => {
    const until = Date.now() + 60_000
    while (Date.now() < until);
  },
  works: () => {},
}
deeds[deed]!()
const worker = place('worker', ({ ready }) => ready('looks for its devices'))
const node = await createNode({ site: 'north', storage, services: [worker], log: createLog({ text: false }) })
serveChannel(process as Parameters<typeof serveChannel>[0], { id: 'local:supervisor', scope: 'admin' }, node.resolve)
process.once('disconnect', () => {
  writeFileSync(join(storage, 'orphaned'), '')
  void node.close().then(() => process.exit())
})
