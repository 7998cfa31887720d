// A node that supervises a process, as a process of its own: what becomes of the child when it dies. Argument: the storage folder.
import { createLog, createNode } from '#node'
import { supervised } from '../children.js'

const [storage] = process.argv.slice(2) as [string]
const node = await createNode({
  site: 'north',
  storage,
  services: [supervised('wm', `${storage}/wm`, 'works')],
  log: createLog({ text: false }),
})
await node.ready()
process.stdout.write(`${node.services()[0]?.stats.pid}\n`)
