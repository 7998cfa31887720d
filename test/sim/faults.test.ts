import { connect } from 'node:net'
import test from 'brittle'
import { type FaultKind, faultKinds, faults, startFarm } from '#sim'
import { until } from '../support/fake-clock.js'
import { type OneMiner, oneMiner } from './farms.js'
import { Frames, http, page, parsed, say } from './talk.js'

const question = '{"cmd":"summary"}'
const root = { user: 'root', password: 'root' }
const parseObject = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
const rpc = (miner: OneMiner, waitMs = 8000) => say(miner.port('rpc'), question, { waitMs })

test('dead: connections are refused, and back on the same port when it heals', async (t) => {
  const miner = await oneMiner(t, 'M50S')
  const sound = await rpc(miner)
  await miner.farm.setFault(0, { kind: 'dead' })
  t.is((await rpc(miner)).ending, 'refused')
  await miner.farm.clearFault(0, 'dead')
  t.is((await rpc(miner)).text.length, sound.text.length)
})

test('dead cuts the connections that are open', async (t) => {
  const miner = await oneMiner(t, 'M60S')
  const frames = new Frames(miner.port('v3'))
  await frames.ask({ cmd: 'get.fan.setting' })
  await miner.farm.setFault(0, { kind: 'dead' })
  await frames.untilClosed()
  t.pass()
})

test('silent: accepts and never answers', async (t) => {
  const miner = await oneMiner(t, 'M50S')
  await miner.farm.setFault(0, { kind: 'silent' })
  t.alike(await rpc(miner, 200), { text: '', ending: 'open' })
})

test('slow: the answer comes, late', async (t) => {
  const miner = await oneMiner(t, 'M50S')
  await miner.farm.setFault(0, { kind: 'slow', ms: 3000 })
  const pending = miner.clock.pending
  const answer = rpc(miner)
  await until(() => miner.clock.pending > pending, 'the request is there')
  await until(async () => {
    await miner.later(1000)
    return (await Promise.race([answer, Promise.resolve(undefined)])) !== undefined
  }, 'the answer')
  t.is(JSON.parse((await answer).text).STATUS[0].Code, 11)
})

test('half an answer, then it closes or hangs', async (t) => {
  const miner = await oneMiner(t, 'M50S')
  const whole = (await rpc(miner)).text.length
  await miner.farm.setFault(0, { kind: 'half', ending: 'close' })
  const closed = await rpc(miner)
  t.ok(closed.text.length > 100 && closed.text.length < whole * 0.6)
  t.is(closed.ending, 'end')
  await miner.farm.setFault(0, { kind: 'half', ending: 'hang' })
  const hung = await rpc(miner, 200)
  t.alike([hung.text.length, hung.ending], [closed.text.length, 'open'])
})

test('garbage: bytes that mean nothing', async (t) => {
  const miner = await oneMiner(t, 'M50S')
  await miner.farm.setFault(0, { kind: 'garbage' })
  const { text } = await rpc(miner)
  t.ok(text.length > 0)
  t.absent(parseObject(text))
})

test('endless: it goes on until the client has had enough, and holds only a little of it in memory', async (t) => {
  const miner = await oneMiner(t, 'M50S')
  await miner.farm.setFault(0, { kind: 'endless' })
  const socket = connect(miner.port('rpc'), '127.0.0.1')
  socket.write(question)
  let bytes = 0
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > 5_000_000) resolve(void socket.destroy())
    })
  })
  t.ok(bytes > 5_000_000)
})

test('the web interface has the same faults', async (t) => {
  const miner = await oneMiner(t, 'S21')
  const port = miner.port('http')
  const get = () => say(port, 'GET /cgi-bin/stats.cgi HTTP/1.1\r\nHost: a\r\n\r\n', { waitMs: 200 })
  await miner.farm.setFault(0, { kind: 'half', ending: 'close' })
  const half = await get()
  t.ok(half.text.startsWith('HTTP/1.1 401') && half.ending === 'end')
  await t.exception(page(port, root, 'GET', 'stats'))
  await miner.farm.setFault(0, { kind: 'garbage' })
  await t.exception(http(port, 'GET', '/'))
  await miner.farm.clearFault(0)
  await miner.farm.setFault(0, { kind: 'silent' })
  t.alike(await get(), { text: '', ending: 'open' })
  await miner.farm.clearFault(0)
  t.is(parsed(await page(port, root, 'GET', 'stats')).STATUS.STATUS, 'S')
})

test('every fault of the table can be drawn, set and healed on every model; afterwards all answer as before', async (t) => {
  const farm = await startFarm({ miners: 10, seed: 4 })
  t.teardown(() => farm.close())
  let step = 0
  const next = () => ((step++ * 7) % 10) / 10
  for (const kind of faultKinds) {
    for (const [index, { machine }] of farm.devices.entries()) {
      const fault = faults[kind as FaultKind].draw(next, machine.hardware)
      if (fault) await farm.setFault(index, fault)
    }
    for (const index of farm.devices.keys()) await farm.clearFault(index, kind as FaultKind)
  }
  for (const device of farm.devices) {
    t.alike(device.machine.faults, [])
    t.is((await say(device.ports!.rpc!, '{"cmd":"summary","command":"summary"}')).ending, 'end')
  }
  await t.exception(farm.setFault(99, { kind: 'dead' }), { code: 'NOT_FOUND' })
})

test('with a share of faults miners break and heal over time', async (t) => {
  const miner = await oneMiner(t, 'M50S', { miners: 40, faults: 0.1 })
  const { farm, later } = miner
  const counts: number[] = []
  const met = new Set<string>()
  for (let minute = 0; minute < 60; minute++) {
    await later(60_000)
    const broken = farm.devices.filter(({ machine }) => machine.faults.length > 0)
    for (const { machine } of broken) for (const { kind } of machine.faults) met.add(kind)
    counts.push(broken.length)
  }
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
  t.ok(Math.max(...counts) <= 4 && mean > 2, `${mean} of 40 are broken on average`)
  t.ok(met.size >= 6, `${[...met].join(', ')} were seen`)
})
