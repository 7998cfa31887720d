// A node as a process of its own, for tests of what only a process can show. Arguments: the storage folder and what happens in it.
import { closeOnSignals, createLog, createNode } from '#node'
import { place } from '../nodes.js'

const [storage, deed] = process.argv.slice(2) as [string, string]
const say = (word: string) => process.stdout.write(`${word}\n`)
let stray = () => {}

const services = [
  place('worker', ({ defer }) => {
    defer(() => say('worker closed'))
    if (deed === 'hangs') defer(() => new Promise(() => say('worker closes')))
  }),
]
const node = await createNode({
  site: 'north',
  storage,
  services,
  log: createLog({ text: false }),
  limits: { shutdownMs: 60_000 },
})
await node.ready()

const deeds: Record<string, () => void> = {
  'stray throw': () => {
    stray = () => {
      throw new Error('nobody threw this')
    }
  },
  'stray rejection': () => {
    stray = () => void Promise.reject(new Error('nobody rejected this'))
  },
}
deeds[deed]?.()
setImmediate(() => stray())

closeOnSignals(node).closed.then(({ signal, late }) => say(`closed by ${signal}, late: ${late.join()}`))
say('ready')
// A timer that holds nothing: it only fires in a process that something else keeps alive.
setTimeout(() => say('still there'), 20).unref()
