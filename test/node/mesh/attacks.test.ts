import test, { type Assertions } from 'brittle'
import { clockToleranceMs } from '#keys'
import { type Clock, type SdkError, systemClock } from '#model'
import type { Node } from '#node'
import { deviceWorker, fleetContract, registrar } from '#rpc'
import { until } from '../../support/fake-clock.js'
import { isConnected, openFleet, refusedBy, worker } from './fleets.js'

const timeout = 220_000

/** How the node sees another one's worker: a client that calls over its own connection. */
async function workerSeen(node: Node, name: string) {
  const find = () => node.directory.find(deviceWorker).find(({ service }) => service === name)
  await until(find, `${name} is seen`, 60_000)
  return find()!.client
}

const refusal = (job: Promise<unknown>): Promise<SdkError> =>
  job.then(
    () => Promise.reject(new Error('it was not refused')),
    (error) => error,
  )

/** What needs `control`. */
const command = (seen: Awaited<ReturnType<typeof workerSeen>>) =>
  seen.command({ id: 'nobody', command: 'reboot', params: {}, requestId: 'r1' })

async function isNoted(t: Assertions, node: Node, by: Node, reason: string) {
  const lines = async () => (await refusedBy(node)).filter((line) => line.key === by.key && line.reason === reason)
  await until(async () => (await lines()).length > 0, `the refusal (${reason}) is in the book`)
  t.pass(`refused as ${reason}, and noted`)
}

test('each member may what its grant says and no more, and who tries more is noted', { timeout }, async (t) => {
  const fleet = await openFleet(t)
  const target = await fleet.join({ name: 'tx-1', role: 'worker', sites: ['texas'], services: [worker('wm')] })

  await t.test("a worker's key reads and commands nothing of another worker", async (t) => {
    const other = await fleet.join({ name: 'tx-2', role: 'worker', sites: ['texas'] })
    const seen = await workerSeen(other, 'wm')
    t.is((await refusal(seen.describe({}))).code, 'FORBIDDEN')
    t.is((await refusal(command(seen))).code, 'FORBIDDEN')
    await isNoted(t, target, other, 'forbidden')
    const foreign = { name: 'x', kind: 'device-worker', site: 'ohio', contracts: [], feed: null, relay: null }
    const [writer] = other.directory.find(registrar)
    t.is((await refusal(writer!.client.announce({ version: '1', services: [foreign] }))).code, 'FORBIDDEN')
    await isNoted(t, fleet.head, other, 'forbidden')
  })

  await t.test('who may see commands nothing', async (t) => {
    const monitor = await fleet.join({ name: 'eye', role: 'monitor', site: 'nowhere' })
    const seen = await workerSeen(monitor, 'wm')
    t.is((await seen.describe({})).devices, 0)
    const refused = await refusal(command(seen))
    t.is(refused.code, 'FORBIDDEN')
    t.ok(refused.message.includes('control'), refused.message)
  })

  await t.test('a grant for one site counts at no other', async (t) => {
    const operator = await fleet.join({ name: 'ohio-op', role: 'operator', sites: ['ohio'], site: 'ohio' })
    const refused = await refusal(command(await workerSeen(operator, 'wm')))
    t.is(refused.code, 'FORBIDDEN')
    t.ok(refused.message.includes('texas'), refused.message)
  })

  await t.test('revoked, the open connection ends, and nothing is answered any more', async (t) => {
    const operator = await fleet.join({ name: 'op', role: 'operator', site: 'nowhere' })
    const seen = await workerSeen(operator, 'wm')
    t.is((await refusal(command(seen))).code, 'NOT_FOUND', 'it may command; there is no such device')
    t.ok(await isConnected(target, operator))
    await fleet.revoke(operator)
    await until(async () => !(await isConnected(target, operator)), 'its connection ends', 20_000)
    t.ok(['UNAVAILABLE', 'UNAUTHENTICATED', 'FORBIDDEN'].includes((await refusal(command(seen))).code))
    await isNoted(t, target, operator, 'revoked')
  })
})

/** Real time, and what was added to it; timers of minutes and more wait for that alone. */
function movableClock() {
  const waiting = new Set<{ at: number; call: () => void }>()
  let added = 0
  const clock: Clock = {
    ...systemClock,
    now: () => systemClock.now() + added,
    after(ms, call) {
      if (ms < 60_000) return systemClock.after(ms, call)
      const timer = { at: clock.now() + ms, call }
      waiting.add(timer)
      return () => void waiting.delete(timer)
    },
  }
  return {
    clock,
    move(ms: number) {
      added += ms
      for (const timer of waiting) {
        if (timer.at > clock.now()) continue
        waiting.delete(timer)
        timer.call()
      }
    },
  }
}

test('a grant that ends while its member is connected ends the connection, and is noted', { timeout }, async (t) => {
  const fleet = await openFleet(t)
  const { clock, move } = movableClock()
  const services = [worker('wm')]
  const target = await fleet.join({ name: 'tx', role: 'worker', sites: ['texas'], services, clock })
  const operator = await fleet.join({ name: 'op', role: 'operator', site: 'nowhere' })
  const passing = await fleet.join({ name: 'passing', role: 'operator', grantForMs: 600_000, site: 'nowhere' })
  for (const node of [operator, passing])
    t.is((await refusal(command(await workerSeen(node, 'wm')))).code, 'NOT_FOUND', 'it may command')
  const peers = () => target.connect(fleetContract).peers({})
  const before = (await peers()).find(({ key }) => key === operator.key)
  t.ok(await isConnected(target, passing))
  move(600_000 + clockToleranceMs)
  await until(async () => !(await isConnected(target, passing)), 'its connection ends', 5_000)
  await isNoted(t, target, passing, 'not-valid')
  t.is((await peers()).find(({ key }) => key === operator.key)?.since, before?.since, 'that of the other does not')
})

test('a grant that has ended gets no connection', { timeout }, async (t) => {
  const fleet = await openFleet(t)
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + 3_600_000 }
  const services = [worker('wm')]
  const target = await fleet.join({ name: 'tx', role: 'worker', sites: ['texas'], services, clock })
  const late = await fleet.join({ name: 'late', role: 'operator', grantForMs: 60_000, site: 'nowhere' })
  const refused = await refusal(command(await workerSeen(late, 'wm')))
  t.ok(['UNAVAILABLE', 'UNAUTHENTICATED', 'FORBIDDEN'].includes(refused.code), refused.message)
  t.absent(await isConnected(target, late))
  await isNoted(t, target, late, 'not-valid')
  const { why } = await fleet.head.connect(fleetContract).diagnose({ key: target.key })
  t.ok(
    why.some((words) => /its clock is 3[56]\d\d s ahead of ours/.test(words)),
    why.join('; '),
  )
})

test('a node that was away for too long lets nobody command, says why, and is read from', { timeout }, async (t) => {
  const fleet = await openFleet(t)
  const services = [worker('wm')]
  const mesh = { maxRecordAgeMs: -1 }
  await fleet.join({ name: 'tx', role: 'worker', sites: ['texas'], services, mesh })
  const operator = await fleet.join({ name: 'op', role: 'operator', site: 'nowhere' })
  const seen = await workerSeen(operator, 'wm')
  t.is((await seen.describe({})).devices, 0)
  const refused = await refusal(command(seen))
  t.is(refused.code, 'FORBIDDEN')
  t.ok(refused.message.includes('has not been current'), refused.message)
})
