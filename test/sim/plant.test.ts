import test from 'brittle'
import { devices, identify, observe } from '#devices'
import { systemClock } from '#model'
import { parsePlant, plantNames, type SimulatedDevice, startPlant } from '#sim'
import { sessionsOf } from '../devices/plant.js'

test('every piece of simulated plant that is reached is read by its library with what it says of itself', async (t) => {
  const names = plantNames.filter((name) => name !== 'bitdeer')
  const plant = await startPlant({ names, loadW: () => 80_000 })
  t.teardown(() => plant.close())
  const sessions = sessionsOf(t)
  for (const { host, port, unit, library, model, options = {}, username, password } of plant.devices) {
    const candidates = devices.filter((device) => device.library === library)
    const io = {
      host,
      ports: { [candidates[0]!.mainPort.name]: port },
      ...(unit === undefined ? {} : { unit }),
      credentials: password ? [{ username, password }] : [],
      signal: new AbortController().signal,
      memory: new Map(),
      clock: systemClock,
      sessions,
      options: { ...options, ...(library.includes('antspace') ? {} : { gapMs: 0 }) },
      said: { library },
    }
    const { device, seen } = await identify(candidates, io)
    t.ok(device, `${library} ${model}: ${device ? '' : seen.join('; ')}`)
    const { telemetry, missing } = await observe(device!, io)
    t.alike(missing, {}, `${library} ${model}`)
    if (library === 'powermeter-abb')
      t.is(Math.round(telemetry.sitePowerW! / 1000), 80, 'it measures what the miners draw')
    if (library === 'container-microbt') t.is(Math.round(telemetry.powerW! / 1000), 80, 'and so does their container')
    if (device!.kind === 'sensor') t.ok(telemetry.readings!.every(({ value }) => value !== null))
  }
})

test('plant on addresses of its own has the standard ports; a broker is dialled until it is there', async (t) => {
  const plant = await startPlant({ names: ['hydro', 'bitdeer'], hosts: ['127.88.4.1', '127.88.4.2'], loadW: () => 0 })
  t.teardown(() => plant.close())
  const [hydro, bitdeer] = plant.devices as [SimulatedDevice, SimulatedDevice]
  t.alike([hydro.host, hydro.port], ['127.88.4.1', 8000])
  t.alike([bitdeer.host, bitdeer.library], ['C001_D40', 'container-bitdeer'])
})

test('names of plant are checked', (t) => {
  t.alike(parsePlant('meter, seneca'), ['meter', 'seneca'])
  t.alike(parsePlant('all'), plantNames)
  t.exception(() => parsePlant('windmill'), /there are wonderint/)
})
