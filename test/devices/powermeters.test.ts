import test from 'brittle'
import { devices, identify, observe } from '#devices'
import { type ModbusUnit, unitOfBlocks, wordsOf } from '#sim'
import { gatewayOf, ioOf, replayed } from './plant.js'

const near = (actual: unknown, expected: number, tolerance = 1e-3) =>
  typeof actual === 'number' && Math.abs(actual - expected) <= Math.abs(expected) * tolerance

/** A unit of single values, each where its table has it. */
function unitOf(
  values: readonly (readonly [at: number, type: Parameters<typeof wordsOf>[0], value: number])[],
): ModbusUnit {
  return unitOfBlocks(values.map(([wireAddress, type, value]) => ({ wireAddress, registers: wordsOf(type, value) })))
}

test('a capture of an ABB B23 gives its values; what this one does not have is not missing', async (t) => {
  const { seen, device } = await replayed(t, 'powermeters/abb_b23.json', { library: 'powermeter-abb' })
  const { telemetry, missing } = seen
  t.is(device.family, 'B-series')
  t.alike([telemetry.voltageL1V, telemetry.voltageL2V, telemetry.voltageL3V], [230.1, 229.8, 230.5])
  t.alike([telemetry.voltageL12V, telemetry.voltageL23V, telemetry.voltageL31V], [398.4, 399, 398.7])
  t.alike([telemetry.currentL1A, telemetry.currentL2A, telemetry.currentL3A], [15.23, 14.98, 15.11])
  t.is(telemetry.currentNA, 0.12)
  t.is(telemetry.powerW, 10345.67)
  t.alike([telemetry.powerL1W, telemetry.powerL2W, telemetry.powerL3W], [3456.78, 3444.44, 3444.45])
  t.is(telemetry.reactivePowerVar, -123.45)
  t.is(telemetry.frequencyHz, undefined)
  t.alike(missing, {})
  t.is(telemetry.sitePowerW, undefined, 'only a meter that its operator has put there is that of the site')
})

test('a capture of a SATEC PM180 is read with the ranges of its site, and refused without them', async (t) => {
  const options = { maxVoltageV: 45360, maxCurrentA: 1198, maxPowerKw: 108682.56, measures: 'site' }
  const { seen } = await replayed(t, 'powermeters/satec_pm180.json', { library: 'powermeter-satec', options })
  const { telemetry } = seen
  t.ok(near(telemetry.voltageL12V, 31247.1), String(telemetry.voltageL12V))
  t.ok(near(telemetry.currentL2A, 422.22), String(telemetry.currentL2A))
  t.ok(near(telemetry.powerFactor, 0.998), String(telemetry.powerFactor))
  t.ok(near(telemetry.powerW, 22_488_671), String(telemetry.powerW))
  t.is(telemetry.sitePowerW, telemetry.powerW)
  await t.exception(
    replayed(t, 'powermeters/satec_pm180.json', { library: 'powermeter-satec' }),
    /maxVoltageV is needed/,
  )
})

test('a capture of a Schneider PM5340: kilo becomes one, no number is not reported, the factor loses its quadrant', async (t) => {
  const { seen, device } = await replayed(t, 'powermeters/schneider_pm5340.json', { library: 'powermeter-schneider' })
  const { telemetry } = seen
  t.is(device.family, 'PM5000')
  t.is(telemetry.model, 'PM5340')
  for (const [name, expected] of [
    ['currentL1A', 5.1343],
    ['voltageL12V', 391.293],
    ['voltageL3V', 225.993],
    ['powerW', 1667.2],
    ['reactivePowerVar', -3178.2],
    ['apparentPowerVa', 3589.3],
    ['powerFactor', 0.4645],
    ['frequencyHz', 49.9857],
  ] as const)
    t.ok(near(telemetry[name], expected), `${name} ${telemetry[name]}`)
})

test('a capture of a SunSpec meter is found by its marker, and says what it is', async (t) => {
  const { seen } = await replayed(t, 'powermeters/sunspec_model203.json', { library: 'powermeter-sunspec' })
  const { telemetry } = seen
  t.is(telemetry.model, 'ExampleCo SM-3P')
  t.is(telemetry.serial, 'SN0001')
  t.is(telemetry.currentA, 45.23)
  t.is(telemetry.frequencyHz, 50)
  t.is(telemetry.powerW, 10340)
  t.is(telemetry.powerFactor, 0.994)
  t.is(telemetry.energyImportKwh, 12345.67)
  t.is(telemetry.energyExportKwh, undefined, 'a counter at 0 is not implemented')
  t.is(telemetry.apparentL1Va, undefined)
})

test('an M4M20 has other things at the place of a B23, and powers of its own: told apart by them', async (t) => {
  const volts = (at: number, value: number) => [at, 'u32', value * 10] as const
  const amperes = (at: number, value: number) => [at, 'u32', value * 100] as const
  const unit = unitOf([
    ...[0x5b00, 0x5b02, 0x5b04, 0x5b06].map((at) => volts(at, 231)),
    ...[0x5b08, 0x5b0a, 0x5b0c].map((at) => volts(at, 400)),
    ...[0x5b0e, 0x5b10, 0x5b12, 0x5b14, 0x5b16].map((at) => amperes(at, 1000)),
    [0xcb1a, 'i32', -690_000],
    [0xcb1c, 'i32', -230_000],
    [0xcb1e, 'i32', -230_000],
    [0xcb20, 'i32', -230_000],
    [0xcb22, 'i32', 5000],
  ])
  const gateway = await gatewayOf(t, { 7: unit })
  const said = { library: 'powermeter-abb', unit: 7, options: { reversed: true } }
  const io = ioOf(t, { name: 'modbus', number: gateway.listener.port }, said)
  const candidates = devices.filter(({ library }) => library === 'powermeter-abb')
  const { device, seen: why } = await identify(candidates, io)
  t.is(device?.family, 'M-series', why.join('\n'))
  const { telemetry } = await observe(device!, io)
  t.is(telemetry.powerW, 690_000, 'the transformers are the wrong way round')
  t.is(telemetry.voltageL12V, 400)
  t.is(telemetry.currentL3A, 1000)
  const scan = await identify(candidates, { ...io, said: undefined } as never)
  t.is(scan.device?.family, 'M-series', 'also when a scan finds it')
})

test('a generic meter is its register map; without one or a known type it is refused with the path', async (t) => {
  const low = (value: number) => wordsOf('i32', value).reverse()
  const blocks = [
    { wireAddress: 0x00, registers: [...low(2301), ...low(2302), ...low(2303)] },
    { wireAddress: 0x28, registers: low(-123_456) },
    { wireAddress: 0x100, registers: wordsOf('f32', 1.5) },
  ]
  const gateway = await gatewayOf(t, { 1: unitOfBlocks(blocks, 4) })
  const device = devices.find(({ library }) => library === 'powermeter-generic')!
  const registers = [
    { field: 'voltageL1V', address: 0, type: 'i32', function: 4, wordOrder: 'low', scale: 0.1 },
    { field: 'powerW', address: 0x28, type: 'i32', function: 4, wordOrder: 'low', scale: 0.1 },
    { field: 'frequencyHz', address: 0x100, type: 'f32', function: 4, scale: 10, offset: 35 },
  ]
  const port = { name: 'modbus', number: gateway.listener.port }
  const { telemetry } = await observe(device, ioOf(t, port, { library: device.library, options: { registers } }))
  t.alike([telemetry.voltageL1V, telemetry.powerW, telemetry.frequencyHz], [230.1, -12345.6, 50])
  await t.exception(observe(device, ioOf(t, port, { library: device.library })), { code: 'CONFIG_INVALID' })
})
