import test from 'brittle'
import { openOwnerKey } from '#keys'
import type { Node } from '#node'
import { type Intent, signIntent } from '#replication'
import { fleetContract, registrar } from '#rpc'
import { until } from '../../support/fake-clock.js'
import { isConnected, openFleet } from './fleets.js'

const timeout = 220_000
const codeOf = (job: Promise<unknown>) =>
  job.then(
    () => 'none',
    (error) => error.code,
  )

const stateOf = (node: Node) => node.connect(registrar).record({})
const logsOf = async (node: Node) => (await stateOf(node).catch(() => ({ logs: [] }))).logs
const logOf = async (at: Node, whose: Node) => (await logsOf(at)).find(({ member }) => member === whose.key)!.log
const signing = async (node: Node) => (await logsOf(node)).filter(({ signs }) => signs).map(({ log }) => log)
const same = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((one) => b.includes(one))

/** A fleet with so many aggregators more, each of which writes and is seen by the others. */
async function withAggregators(t: Parameters<typeof openFleet>[0], names: readonly string[]) {
  const fleet = await openFleet(t)
  const nodes: Node[] = []
  for (const name of names) nodes.push(await fleet.join({ name, role: 'aggregator', scope: 'admin', site: 'hq' }))
  const all = [fleet.head, ...nodes]
  const seen = async (node: Node) => {
    const logs = await logsOf(node)
    return logs.length === all.length && logs.every(({ connected }) => connected)
  }
  await until(async () => (await Promise.all(all.map(seen))).every(Boolean), 'all write and see each other', 60_000)
  const owner = await openOwnerKey(fleet.storageOf('owner.key'))
  const { record } = await stateOf(fleet.head)
  const word = (intent: Intent) => signIntent(record, intent, owner.keyPair, Date.now())
  return { fleet, nodes, word }
}

test('three sign instead of one; who signs cannot be dropped, and two that are off are told of', {
  timeout,
}, async (t) => {
  const { fleet, nodes } = await withAggregators(t, ['two', 'three'])
  const [two, three] = nodes as [Node, Node]
  const head = fleet.head.connect(registrar)
  const logs = await Promise.all([fleet.head, two, three].map((node) => logOf(fleet.head, node)))
  await head.setIndexers({ logs })
  await until(async () => same(await signing(two), logs), 'all know it', 60_000)
  t.is(await codeOf(head.removeWriter({ log: logs[1]! })), 'CONFLICT', 'it signs')

  await Promise.all([two.close(), three.close()])
  await until(async () => !(await isConnected(fleet.head, two)), 'they are away', 60_000)
  await t.exception(head.setIndexers({ logs: [logs[0]!] }), /fleet recover/)
  t.ok(same(await signing(fleet.head), logs), 'nothing was changed')
})

test('who is to sign must be reached, unless it is said; who does not sign is dropped', { timeout }, async (t) => {
  const { fleet, nodes } = await withAggregators(t, ['two'])
  const [two] = nodes as [Node]
  const head = fleet.head.connect(registrar)
  const log = await logOf(fleet.head, two)
  t.is((await two.connect(registrar).rotateTopic({})).epoch, 1)
  await two.close()
  await until(async () => !(await isConnected(fleet.head, two)), 'it is away', 60_000)
  t.is(await codeOf(head.setIndexers({ logs: [log] })), 'CONFLICT')
  await head.removeWriter({ log })
  t.absent((await logsOf(fleet.head)).some((one) => one.log === log))
  t.is(await codeOf(head.removeWriter({ log })), 'NOT_FOUND')
})

test('when the only one that signs is lost, the owner hands over to one that is left', { timeout }, async (t) => {
  const { fleet, nodes, word } = await withAggregators(t, ['two'])
  const [two] = nodes as [Node]
  const left = two.connect(registrar)
  const logs = [await logOf(two, two)]
  const epoch = 5
  const salt = 'ab'.repeat(32)
  await left.rotateTopic({ said: { epoch, salt, owner: word({ op: 'rotateTopic', epoch, salt }) } })
  const recovery = async () => {
    const { system, length } = await stateOf(two)
    const fields = { logs, system, length }
    return { ...fields, owner: word({ op: 'recover', ...fields }) }
  }
  t.is(await codeOf(left.recover(await recovery())), 'CONFLICT', 'not while it can be reached')
  // What the second wrote before is signed for when the first has signed what it says now.
  const { length } = await stateOf(two)
  await fleet.invite({ role: 'worker' })
  await until(async () => (await stateOf(two)).length > length, 'it is signed', 60_000)
  await fleet.head.close()
  await until(async () => !(await isConnected(two, fleet.head)), 'it is away', 60_000)
  await t.exception(left.setIndexers({ logs }), /fleet recover/)

  const { owner, ...fields } = await recovery()
  await t.exception(left.recover({ ...fields, owner: { ...owner, signature: 'ab'.repeat(64) } }), /signature/)
  await left.recover({ ...fields, owner })
  await until(async () => same(await signing(two), logs), 'it signs', 60_000)
  t.is((await two.connect(fleetContract).describe({})).epoch, epoch, 'what there was is there')
})
