import test, { type Assertions } from 'brittle'
import { type Io, identify, miners, observe } from '#devices'
import { breeds, type FarmDevice, startFarm } from '#sim'
import { FakeClock, HurriedClock } from '../support/fake-clock.js'

/** What the firmware of a model does not tell: an old AxeOS knows no pause, BOSminer alone neither a pause nor its address. */
const untold: Readonly<Record<string, readonly string[]>> = { Supra: ['asleep'], 'S17 Pro': ['asleep', 'mac'] }
const plain = (model: string) => model.replace(/[^A-Za-z0-9+]|Plus/g, (found) => (found === 'Plus' ? '+' : ''))

/** One miner of each model with a clock that stands still: what is read must be what its physics says. */
async function oneOfEach(t: Assertions) {
  const clock = new FakeClock()
  const mix = Object.fromEntries(breeds.map(({ family, model }) => [`${family}/${model}`, 1]))
  const farm = await startFarm({ miners: breeds.length, mix, clock, seed: 21 })
  t.teardown(() => farm.close())
  return { farm, clock }
}

function ioOf({ host, ports = {}, username, password }: FarmDevice): Io {
  const credentials = [{ username, password }]
  const clock = new HurriedClock()
  return { host, ports, credentials, signal: AbortSignal.timeout(15_000), memory: new Map(), clock }
}

async function read(device: FarmDevice) {
  const io = ioOf(device)
  const { device: definition, seen } = await identify(miners, io)
  if (!definition) throw new Error(`${device.model} was not recognised: ${seen.join('; ')}`)
  return { definition, ...(await observe(definition, io)) }
}

const near = (value: number | null | undefined, wanted: number, share: number) =>
  value != null && Math.abs(value - wanted) <= Math.abs(wanted) * share

test('the device modules know every simulated model and read what its physics says', async (t) => {
  const { farm } = await oneOfEach(t)
  for (const device of farm.devices) {
    const { definition, telemetry, missing, model } = await read(device)
    const truth = device.machine.physics.read()
    const name = device.model
    t.is(definition.library, device.library, `${name} belongs to ${device.library}`)
    t.is(plain(telemetry.model!), plain(name), `${name} is recognised`)
    t.ok(model, `${name} has a row of facts`)
    t.alike(missing, {}, `${name}: nothing is missing`)
    t.ok(near(telemetry.hashrateThs, truth.rateThs, 0.06), `${name}: hashrate`)
    if (telemetry.hashrateAvgThs !== undefined)
      t.ok(near(telemetry.hashrateAvgThs, truth.avgThs, 0.001), `${name}: mean hashrate`)
    if (telemetry.powerW !== undefined) t.ok(near(telemetry.powerW, truth.powerW, 0.02), `${name}: power`)
    t.is(telemetry.boards?.length, truth.boards.length, `${name}: boards`)
    t.ok(near(telemetry.boards![0]!.hashrateThs, truth.boards[0]!.rateThs, 0.06), `${name}: a board's hashrate`)
    const hottest = (take: (board: (typeof truth.boards)[number]) => number) => Math.max(...truth.boards.map(take))
    // Some firmwares measure boards, others chips, most both.
    const isHot =
      near(
        telemetry.boardTempMaxC,
        hottest((board) => board.boardC),
        0.05,
      ) ||
      near(
        telemetry.chipTempMaxC,
        hottest((board) => board.chipMaxC),
        0.05,
      )
    t.ok(isHot, `${name}: hottest board`)
    t.is(telemetry.fans?.length, truth.fansRpm.length, `${name}: fans`)
    const own = telemetry.pools?.filter(({ devFee }) => !devFee)
    t.is(own?.length, device.machine.pools.entries.length, `${name}: pools`)
    t.is(telemetry.acceptedShares, device.machine.pools.read()[0]!.accepted, `${name}: shares`)
    t.is(telemetry.mac, untold[name]?.includes('mac') ? undefined : device.machine.mac, `${name}: address`)
    t.not(telemetry.asleep, true, `${name} is awake`)
  }
})

test('asleep, with a lost board, without a pool: each is read as what it is', async (t) => {
  const { farm, clock } = await oneOfEach(t)
  for (const index of farm.devices.keys()) await farm.setFault(index, { kind: 'boardLost', slot: 1 })
  for (const index of farm.devices.keys()) await farm.setFault(index, { kind: 'poolDead', index: 0 })
  await clock.suspend(600_000)
  for (const device of farm.devices.filter(({ machine }) => machine.hardware.boards > 1)) {
    const { telemetry } = await read(device)
    t.is(telemetry.boards?.[1]?.status ?? 'missing', 'missing', `${device.model}: board 1 is missing`)
    t.ok(
      telemetry.errors?.some(({ component }) => component === 'board'),
      `${device.model}: and said so`,
    )
    t.alike(
      // Some firmwares say it only of the pool that they use.
      telemetry.pools?.filter(({ devFee }) => !devFee).map(({ alive }, place) => alive ?? place > 0),
      device.machine.pools.entries.map((_, place) => place > 0),
      `${device.model}: pool 0 is dead`,
    )
  }
  for (const [index, { machine }] of farm.devices.entries()) {
    await farm.clearFault(index)
    machine.change({ awake: false }, 'restart')
  }
  await clock.suspend(600_000)
  for (const device of farm.devices) {
    // An Antminer says that it sleeps by its configuration, which was not touched here.
    if (device.library === 'miner-antminer') continue
    const { telemetry } = await read(device)
    const asleep = untold[device.model]?.includes('asleep') ? undefined : true
    t.alike([telemetry.asleep, telemetry.hashrateThs], [asleep, 0], `${device.model} sleeps and makes nothing`)
  }
})
