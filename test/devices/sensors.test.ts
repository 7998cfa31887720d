import test from 'brittle'
import { devices, identify, observe } from '#devices'
import { unitOfBlocks, wordsOf } from '#sim'
import { gatewayOf, ioOf, replayed } from './plant.js'

test('a capture of a Seneca gives four channels; an open one has no value but an error with what to do', async (t) => {
  const options = { names: { 1: 'lv cabinet', 4: 'transformer oil' } }
  const { seen } = await replayed(t, 'sensors/seneca_z4rtd2.json', { library: 'sensor-seneca', options })
  const { telemetry } = seen
  t.alike(
    telemetry.readings?.map(({ value }) => value),
    [30, 31, 32, null],
  )
  t.is(telemetry.temperatureC, 32)
  t.is(telemetry.temperature4C, undefined)
  t.alike(
    telemetry.errors?.map(({ code, index }) => [code, index]),
    [['sensor-error', 3]],
  )
  t.ok(telemetry.errors?.[0]?.message.startsWith('transformer oil'))
})

test('below zero is a temperature too; unused channels are not asked for an error', async (t) => {
  const gateway = await gatewayOf(t, {
    3: unitOfBlocks([{ wireAddress: 2, registers: [0x10000 - 153, 8500, 8500, 8500] }]),
  })
  const said = { library: 'sensor-seneca', unit: 3, options: { channels: [1] } }
  const io = ioOf(t, { name: 'modbus', number: gateway.listener.port }, said)
  const { telemetry } = await observe(devices.find(({ library }) => library === 'sensor-seneca')!, io)
  t.is(telemetry.temperatureC, -15.3)
  t.alike(telemetry.errors ?? [], [])
})

test('four numbers are no proof: a scan does not take a stranger for a Seneca', async (t) => {
  const gateway = await gatewayOf(t, { 1: unitOfBlocks([{ wireAddress: 0, registers: [1, 2, 3, 4, 5, 6, 7, 8] }]) })
  const { said: _, ...io } = ioOf(t, { name: 'modbus', number: gateway.listener.port }, { library: 'sensor-seneca' })
  const { device } = await identify(
    devices.filter(({ kind, reach }) => kind !== 'miner' && reach === 'gateway'),
    io,
  )
  t.is(device, undefined)
})

test('a generic sensor reads every quantity as configured, and what cannot be is a fault', async (t) => {
  const blocks = [
    { wireAddress: 0, registers: [215, 480] },
    { wireAddress: 10, registers: wordsOf('f32', 2.5) },
    { wireAddress: 20, registers: [0b100, 9999] },
  ]
  const gateway = await gatewayOf(t, { 1: unitOfBlocks(blocks, 4) })
  const at = { type: 'i16', function: 4 } as const
  const readings = [
    { ...at, quantity: 'temperature', address: 0, scale: 0.1, name: 'hall' },
    { ...at, quantity: 'humidity', address: 1, scale: 0.1 },
    { ...at, quantity: 'pressure', address: 10, type: 'f32', scale: 100 },
    { ...at, quantity: 'digital', address: 20, bit: 2 },
    { ...at, quantity: 'flow', address: 20, scale: 10 },
    { ...at, quantity: 'level', address: 21, max: 100 },
    { ...at, quantity: 'temperature', address: 21, faultValues: [9999] },
  ]
  const device = devices.find(({ library }) => library === 'sensor-generic')!
  const said = { library: 'sensor-generic', options: { readings } }
  const { telemetry } = await observe(device, ioOf(t, { name: 'modbus', number: gateway.listener.port }, said))
  const { temperatureC, humidityPct, pressureKpa, digital, flowLpm, levelPct } = telemetry
  t.alike(
    { temperatureC, humidityPct, pressureKpa, digital, flowLpm, levelPct },
    {
      temperatureC: 21.5,
      humidityPct: 48,
      pressureKpa: 250,
      digital: 1,
      flowLpm: 40,
      levelPct: undefined,
    },
  )
  t.is(telemetry.errors?.length, 2)
})
