import test from 'brittle'
import { devices, type Io, identify, miners, observe } from '#devices'
import { SdkError } from '#model'
import { breeds, type Fault, startFarm } from '#sim'
import { HurriedClock } from '../support/fake-clock.js'

/** A visit has so long, ms; what it takes beyond that is a device that delays others. */
const timeoutMs = 1000
const toleranceMs = 5000

const broken: readonly Fault[] = [
  { kind: 'dead' },
  { kind: 'silent' },
  { kind: 'half', ending: 'close' },
  { kind: 'half', ending: 'hang' },
  { kind: 'garbage' },
  { kind: 'endless' },
]

/** Any code of a device that is not well; a reply of another kind would be a fault of ours. */
const codes = /^DEVICE_(UNREACHABLE|TIMEOUT|BUSY|BAD_REPLY|AUTH)$/

test('whatever the wire does, a visit to any family ends in time with a code, and heals', async (t) => {
  const mix = Object.fromEntries(breeds.map(({ family, model }) => [`${family}/${model}`, 1]))
  const farm = await startFarm({ miners: breeds.length, mix, seed: 5 })
  t.teardown(() => farm.close())
  const visits = await Promise.all(
    farm.devices.map(async ({ host, ports = {}, username, password, model }) => {
      const io = (): Io => ({
        host,
        ports,
        credentials: [{ username, password }],
        signal: AbortSignal.timeout(20_000),
        memory: new Map(),
        clock: new HurriedClock(),
      })
      const { device } = await identify(miners, io())
      return { device, io, model }
    }),
  )
  t.ok(visits.every(({ device }) => device && devices.includes(device)))
  for (const fault of broken) {
    await Promise.all(farm.devices.map((_, index) => farm.setFault(index, fault)))
    const name = 'ending' in fault ? `${fault.kind} ${fault.ending}` : fault.kind
    const started = performance.now()
    const outcomes = await Promise.all(
      visits.map(({ device, io }) =>
        observe(device!, io(), { timeoutMs }).then(
          () => 'it was read',
          (error: unknown) => (error instanceof SdkError && codes.test(error.code) ? undefined : String(error)),
        ),
      ),
    )
    t.alike(
      outcomes
        .map((outcome, at) => (outcome === undefined ? undefined : `${visits[at]!.model}: ${outcome}`))
        .filter(Boolean),
      [],
      name,
    )
    const took = performance.now() - started
    t.ok(took < timeoutMs + toleranceMs, `${name} took ${Math.round(took)} ms`)
    await Promise.all(farm.devices.map((_, index) => farm.clearFault(index)))
  }
  const healed = await Promise.all(visits.map(({ device, io }) => observe(device!, io())))
  t.ok(healed.every(({ telemetry }) => telemetry.hashrateThs))
})
