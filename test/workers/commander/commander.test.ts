import test from 'brittle'
import { type CommandJob, commander } from '#rpc'
import { startFarm } from '#sim'
import { until } from '../../support/fake-clock.js'
import { entryOf } from '../device/bench.js'
import { startSite } from '../site.js'

const lib = 'miner-antminer'

async function ended(get: () => Promise<CommandJob>): Promise<CommandJob> {
  let job = await get()
  await until(
    async () => {
      job = await get()
      return job.state !== 'running'
    },
    'the job ends',
    30_000,
  )
  return job
}

test('one and many: resolved, in packets, confirmed by read-back, told to who follows, remembered', {
  timeout: 90_000,
}, async (t) => {
  const farm = await startFarm({ miners: 6, mix: 'antminer', seed: 4 })
  t.teardown(() => farm.close())
  const storage = await t.tmp()
  const one = await startSite(t, storage, { am: { lib, intervalMs: 300, devices: farm.devices.map(entryOf) } })
  const { fleet } = one
  await until(() => fleet.match({ status: ['mining'] }).length === 6, 'all are mining')
  const desk = one.node.connect(commander)
  const told: unknown[] = []
  fleet.watch(({ events }) => {
    for (const { type, data } of events) if (type === 'command' && data?.jobId) told.push(data.state)
  })
  const ids = fleet.match({}).map(({ id }) => id)

  const single = await desk.submit({
    request: { command: 'setLed', params: { on: true }, targets: { ids: [ids[0]!] } },
  })
  t.is(single.state, 'running')
  const done = await ended(() => desk.get({ id: single.id }))
  t.alike(
    done.results.map(({ deviceId, state }) => [deviceId, state]),
    [[ids[0], 'confirmed']],
  )
  t.ok(done.powerW === null || done.powerW > 0)

  const request = {
    command: 'setLed' as const,
    params: { on: false },
    targets: { filter: { worker: ['am'] } },
    batch: { size: 4, pauseMs: 50 },
    reason: 'night',
  }
  const many = await desk.submit({ request, idempotencyKey: 'k1' })
  t.is(many.results.length, 6)
  t.is((await desk.submit({ request, idempotencyKey: 'k1' })).id, many.id, 'the same key is the same job')
  await t.exception(desk.submit({ request: { ...request, params: { on: true } }, idempotencyKey: 'k1' }), {
    code: 'CONFLICT',
  })
  const all = await ended(() => desk.get({ id: many.id }))
  t.is(all.counts.confirmed, 6)
  t.alike([all.state, all.reason, all.batch], ['done', 'night', { size: 4, pauseMs: 50 }])
  await until(() => told.includes('done'), 'the end was told')

  const mixed = await desk.submit({
    request: { command: 'setTuningSpeed', params: { speed: 1 }, targets: { ids: [ids[0]!, 'nobody'] } },
  })
  const refused = await ended(() => desk.get({ id: mixed.id }))
  t.alike(
    refused.results.map(({ state, code }) => [state, code]),
    [
      ['skipped', 'DEVICE_UNSUPPORTED'],
      ['skipped', 'NOT_FOUND'],
    ],
  )
  await t.exception(desk.submit({ request: { command: 'setLed', params: {}, targets: { ids } } }), {
    code: 'BAD_REQUEST',
  })
  await t.exception(desk.get({ id: 'nothing' }), { code: 'NOT_FOUND' })

  t.alike(
    (await desk.list({})).map(({ id }) => id),
    [mixed.id, many.id, single.id],
    'newest first',
  )
  await one.close()
  const two = await startSite(t, storage, { am: { lib, intervalMs: 300 } })
  const again = await two.node.connect(commander).get({ id: many.id })
  t.alike(again, all, 'also after a restart')
})

test('a dry run says per device what would be refused and sends nothing', { timeout: 60_000 }, async (t) => {
  const farm = await startFarm({ miners: 3, mix: 'antminer', seed: 4 })
  t.teardown(() => farm.close())
  const { node, fleet } = await startSite(t, await t.tmp(), {
    am: { lib, intervalMs: 300, devices: farm.devices.map(entryOf) },
  })
  await until(() => fleet.match({ status: ['mining'] }).length === 3, 'all are mining')
  await farm.setFault(1, { kind: 'dead' })
  const desk = node.connect(commander)
  const { id } = await desk.submit({ request: { command: 'reboot', targets: { filter: {} }, dryRun: true } })
  const job = await ended(() => desk.get({ id }))
  t.is(job.dryRun, true)
  t.alike(job.counts.accepted, 2)
  t.is(job.counts.skipped, 1)
  t.ok(job.results.find(({ state }) => state === 'skipped')?.code?.startsWith('DEVICE_'))
  await until(() => fleet.match({ status: ['mining'] }).length === 2, 'the others go on')
  t.is(fleet.match({ status: ['rebooting'] }).length, 0)
})

test('a cancelled job skips what has not started, one with too many failures stops', { timeout: 60_000 }, async (t) => {
  const farm = await startFarm({ miners: 4, mix: 'antminer', seed: 4 })
  t.teardown(() => farm.close())
  const { node, fleet } = await startSite(t, await t.tmp(), {
    am: { lib, intervalMs: 300, devices: farm.devices.map(entryOf) },
  })
  await until(() => fleet.match({ status: ['mining'] }).length === 4, 'all are mining')
  const desk = node.connect(commander)
  const request = {
    command: 'setLed',
    params: { on: true },
    targets: { filter: {} },
    batch: { size: 1, pauseMs: 60_000 },
  } as const
  const { id } = await desk.submit({ request: { ...request, targets: { filter: {} } } })
  await until(async () => (await desk.get({ id })).counts.confirmed === 1, 'the first is done')
  await desk.cancel({ id })
  const job = await ended(() => desk.get({ id }))
  t.is(job.state, 'cancelled')
  t.alike([job.counts.confirmed, job.counts.skipped], [1, 3])
  t.ok(job.results.at(-1)?.reason?.startsWith('cancelled by'))

  for (let index = 0; index < 4; index++) await farm.setFault(index, { kind: 'dead' })
  const second = await desk.submit({
    request: { ...request, targets: { filter: {} }, batch: { size: 1, pauseMs: 0 }, stopAfterFailures: 2 },
  })
  const stopped = await ended(() => desk.get({ id: second.id }))
  t.is(stopped.state, 'done')
  t.alike([stopped.counts.failed, stopped.counts.skipped], [2, 2])
})

test('after a crash nobody pretends: what was under way is unknown, what waited was not sent; secrets were never stored', {
  timeout: 60_000,
}, async (t) => {
  const farm = await startFarm({ miners: 3, mix: 'antminer', seed: 4 })
  t.teardown(() => farm.close())
  const storage = await t.tmp()
  const workers = { am: { lib, intervalMs: 300, devices: farm.devices.map(entryOf) } }
  const one = await startSite(t, storage, workers)
  await until(() => one.fleet.match({ status: ['mining'] }).length === 3, 'all are mining')
  const [first] = one.fleet.match({})
  const index = farm.devices.findIndex(({ port }) => first!.address.endsWith(`:${port}`))
  await farm.setFault(index, { kind: 'silent' })
  const pools = [{ url: 'stratum+tcp://pool.invalid:3333', user: 'me', password: 'hunter2' }]
  const request = {
    command: 'setPools',
    params: { pools },
    targets: { filter: {} },
    batch: { size: 1, pauseMs: 0 },
  } as const
  const { id, params } = await one.node
    .connect(commander)
    .submit({ request: { ...request, params: { pools }, targets: { filter: {} } } })
  t.absent(JSON.stringify(params).includes('hunter2'))
  await until(async () => (await one.node.connect(commander).get({ id })).counts.running === 1, 'one is under way')
  await one.close()

  const two = await startSite(t, storage, workers)
  const job = await two.node.connect(commander).get({ id })
  t.is(job.state, 'cancelled')
  t.alike(
    job.results.map(({ state }) => state),
    ['unknown', 'skipped', 'skipped'],
  )
  t.ok(
    job.results.every(({ reason }) => reason && reason.length > 20),
    'each with its reason',
  )
  t.absent(JSON.stringify(job).includes('hunter2'))
})
