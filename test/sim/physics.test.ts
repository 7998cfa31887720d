import test from 'brittle'
import fc from 'fast-check'
import { antminers, type Drive, type Hardware, Physics, type Reading, whatsminers } from '#sim'
import { FakeClock } from '../support/fake-clock.js'

const rows = [...whatsminers, ...antminers]
const air = whatsminers.find(({ model }) => model === 'M50S')!

function miner(hardware: Hardware = air, seed = 5, elapsedS?: number) {
  const clock = new FakeClock()
  const physics = new Physics(hardware, { clock, seed, ...(elapsedS === undefined ? {} : { elapsedS }) })
  return { clock, physics }
}

const near = (value: number, wanted: number, share: number) => Math.abs(value - wanted) <= wanted * share

test('a miner that has been running makes its label: rate, power and efficiency', async (t) => {
  for (const hardware of rows) {
    const { physics } = miner(hardware)
    const { rateThs, powerW, tuned, boards, avgThs } = physics.read()
    t.ok(near(rateThs, hardware.nominalThs, 0.01), `${hardware.model} makes ${hardware.nominalThs} TH/s`)
    t.ok(near(avgThs, hardware.nominalThs, 0.01), `${hardware.model} has made it since its start`)
    t.ok(
      near(powerW, hardware.nominalThs * hardware.efficiencyJTh, 0.03),
      `${hardware.model} draws what its label says`,
    )
    t.ok(tuned && boards.length === hardware.boards, `${hardware.model} shows all its boards`)
  }
})

test('whatever is done to it, nothing it reports is impossible', async (t) => {
  const drive = fc.record<Partial<Drive>>(
    {
      awake: fc.boolean(),
      mode: fc.constantFrom('low', 'normal', 'high'),
      limitW: fc.option(fc.integer({ min: 0, max: 9000 })),
      powerPct: fc.integer({ min: 0, max: 200 }),
      frequencyPct: fc.integer({ min: -100, max: 100 }),
      hasWork: fc.boolean(),
      lostBoards: fc.uniqueArray(fc.integer({ min: 0, max: 2 })).map((slots) => new Set(slots)),
      stoppedFans: fc.uniqueArray(fc.integer({ min: 0, max: 1 })).map((fans) => new Set(fans)),
      blocked: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 7_200_000 }),
    drive,
    act: fc.constantFrom('slide', 'restart', 'reboot', 'none'),
  })
  const property = fc.asyncProperty(
    fc.constantFrom(...rows),
    fc.integer(),
    fc.array(step, { maxLength: 8 }),
    async (hardware, seed, steps) => {
      const { clock, physics } = miner(hardware, seed)
      let last = physics.read()
      for (const { waitMs, drive, act } of steps) {
        await clock.suspend(waitMs)
        const before = physics.read()
        check(before, last)
        if (act === 'reboot') physics.reboot()
        else if (act !== 'none') physics.change(drive, act)
        last = physics.read()
        check(last, act === 'slide' ? before : undefined)
      }
    },
  )
  await fc.assert(property, { numRuns: 60 })
  t.pass('rates and power not negative, temperatures above the coolant, counters never fall while mining goes on')
})

function check(reading: Reading, before: Reading | undefined) {
  const { rateThs, rate1mThs, rate15mThs, avgThs, workTh, powerW, energyWs, ambientC, boards, fansRpm } = reading
  const amounts = [
    rateThs,
    rate1mThs,
    rate15mThs,
    avgThs,
    workTh,
    energyWs,
    reading.elapsedS,
    reading.uptimeS,
    ...fansRpm,
  ]
  if (!amounts.every((value) => Number.isFinite(value) && value >= 0))
    throw new Error('an amount is negative or no number')
  if (!(powerW > 0 && powerW < 20_000)) throw new Error(`power ${powerW}`)
  if (!boards.every((board) => board.boardC > ambientC && board.chipMaxC >= board.chipAvgC && board.boardC < 160))
    throw new Error('a board colder than its coolant, or beyond sense')
  if (
    before &&
    (workTh < before.workTh - 1e-6 || energyWs < before.energyWs - 1e-3 || reading.hwErrors < before.hwErrors)
  )
    throw new Error('a counter fell')
}

test('asleep it hashes nothing at all, measured zero, and cools down to its coolant', async (t) => {
  const { clock, physics } = miner()
  const warm = physics.read().boards[0]!.boardC
  physics.change({ awake: false }, 'restart')
  await clock.suspend(3_600_000)
  const { rateThs, rate5sThs, avgThs, workTh, powerW, boards, ambientC, frequencyMhz } = physics.read()
  t.alike([rateThs, rate5sThs, avgThs, workTh, frequencyMhz], [0, 0, 0, 0, 0])
  t.ok(powerW < 50, 'only the controller draws power')
  t.ok(warm - boards[0]!.boardC > 20 && boards[0]!.boardC - ambientC < 3, 'the boards are as cold as the room')
})

test('a restart begins at zero, starts after a while and climbs to the same rate', async (t) => {
  const { clock, physics } = miner()
  const before = physics.read()
  physics.restart()
  t.alike([physics.read().rateThs, physics.read().workTh, physics.read().tuned], [0, 0, false])
  t.ok(physics.read().elapsedS < 1 && physics.read().uptimeS > 3600, 'mining starts anew, the controller goes on')
  const rates: number[] = []
  for (let step = 0; step < 20; step++) {
    await clock.suspend(20_000)
    rates.push(physics.read().rateThs)
  }
  t.is(rates[0], 0, 'it first boots its boards')
  t.ok(rates[2]! > 0 && rates[2]! < before.rateThs * 0.9, 'then it climbs')
  t.ok(near(rates.at(-1)!, before.rateThs, 0.02), 'up to where it was')
})

test('after a reboot it is away for a while and counts its time anew', async (t) => {
  const { clock, physics } = miner()
  physics.reboot()
  t.ok(physics.isAway())
  await clock.suspend(60_000)
  t.absent(physics.isAway())
  t.ok(physics.read().uptimeS < 61)
})

test('modes, limits and percent move hashrate and power, and efficiency with them', async (t) => {
  const settle = async (drive: Partial<Drive>) => {
    const { clock, physics } = miner()
    physics.change(drive, 'restart')
    await clock.suspend(1_800_000)
    return physics.read()
  }
  const normal = await settle({})
  const low = await settle({ mode: 'low' })
  const high = await settle({ mode: 'high' })
  t.ok(low.rateThs < normal.rateThs && normal.rateThs < high.rateThs, 'more hashrate in a higher mode')
  t.ok(low.powerW / low.rateThs < normal.powerW / normal.rateThs, 'and less efficient')
  t.ok(normal.powerW / normal.rateThs < high.powerW / high.rateThs, 'the higher it goes')
  const limited = await settle({ limitW: 2000 })
  t.ok(near(limited.powerW, 2000, 0.03), 'a limit is kept')
  const half = await settle({ powerPct: 50 })
  t.ok(near(half.powerW, normal.powerW / 2, 0.05), 'half the power is half the power')
  t.ok(low.fansRpm[0]! < high.fansRpm[0]!, 'fans follow the heat')
})

test('what is broken is seen: a lost board, a stopped fan, a blocked cooling', async (t) => {
  const { clock, physics } = miner()
  const whole = physics.read()
  physics.change({ lostBoards: new Set([1]), stoppedFans: new Set([0]) })
  await clock.suspend(1_800_000)
  const broken = physics.read()
  t.alike(
    broken.boards.map(({ slot }) => slot),
    [0, 2],
  )
  t.ok(near(broken.rateThs, (whole.rateThs * 2) / 3, 0.03), 'two boards make two thirds')
  t.is(broken.fansRpm[0], 0)
  t.ok(broken.fansRpm[1]! > 0)
  physics.change({ lostBoards: new Set(), stoppedFans: new Set(), blocked: true })
  await clock.suspend(1_800_000)
  const hot = physics.read()
  t.ok(hot.boards[0]!.boardC > whole.boards[0]!.boardC + 15, 'hot')
  t.ok(hot.rateThs < whole.rateThs * 0.7, 'and throttled')
})

test('energy is power over time, also while it climbs', async (t) => {
  const { clock, physics } = miner()
  physics.restart()
  const start = physics.read().energyWs
  let sum = 0
  for (let second = 0; second < 300; second++) {
    await clock.suspend(1000)
    sum += physics.read().powerW
  }
  t.ok(near(physics.read().energyWs - start, sum, 0.02))
})

test('the same seed and time give the same readings, however often it was looked at', async (t) => {
  const often = miner(air, 9)
  const seldom = miner(air, 9)
  for (let step = 0; step < 50; step++) {
    await often.clock.suspend(7_000)
    often.physics.read()
  }
  await seldom.clock.suspend(350_000)
  t.alike(often.physics.read(), seldom.physics.read())
  t.unlike(miner(air, 10).physics.read(), seldom.physics.read())
})

test('a faster time runs through a warm-up in no time', async (t) => {
  const clock = new FakeClock()
  const physics = new Physics(air, { clock, seed: 1, speed: 100 })
  physics.restart()
  await clock.suspend(10_000)
  t.ok(near(physics.read().rateThs, air.nominalThs, 0.02))
  t.ok(near(physics.read().elapsedS, 1000, 0.001))
})
