import test from 'brittle'
import { devices, execute, type Io, identify, type Observation, observe } from '#devices'
import { type CommandName, sleep, systemClock } from '#model'
import { BitdeerContainer, MqttClient } from '#sim'
import { freePort } from '../support/free-port.js'
import { type Closing, ioOf } from './plant.js'

const device = devices.find(({ library }) => library === 'container-bitdeer')!

interface Site {
  readonly io: Io
  readonly port: number
  container(options?: { name?: string; username?: string; password?: string }): BitdeerContainer
}

async function site(
  t: Closing,
  options: Record<string, unknown> = {},
  password: string | null = 'secret',
): Promise<Site> {
  const port = await freePort()
  const credentials = password === null ? [] : [{ username: '', password }]
  const said = { library: 'container-bitdeer', host: 'C024_D40', credentials, options: { port, ...options } }
  const io = ioOf(t, { name: 'mqtt', number: port }, said)
  return {
    io,
    port,
    container(more = {}) {
      const made = new BitdeerContainer({
        name: 'C024_D40',
        password: 'secret',
        port,
        everyMs: 50,
        retryMs: 30,
        ...more,
      })
      t.teardown(() => made.close())
      return made
    },
  }
}

/** Reads again until it shows. */
async function seen(io: Io, shows: (observation: Observation) => boolean): Promise<Observation> {
  for (;;) {
    const observation = await observe(device, io)
    if (shows(observation)) return observation
    await sleep(systemClock, 20)
  }
}

test('a D40 that connects to our broker is read in our units, down to the socket', async (t) => {
  const { io, container } = await site(t, { minerType: 'M56' })
  const d40 = container()
  const { device: found } = await identify([device], io)
  t.is(found, device)
  const { telemetry, missing } = await observe(device, io)
  t.alike(missing, {})
  t.is(telemetry.powerW, Math.round(d40.powerKw * 1000))
  t.is(telemetry.voltageL1V, 231.2)
  t.is(telemetry.running, true)
  t.alike(
    telemetry.pdus?.map(({ id }) => id),
    ['1-1', '1-2', '1-3', '1-4', '2-1', '2-2', '2-3', '2-4'],
  )
  t.is(telemetry.pdus?.[0]?.sockets[13]?.powerW, 5500)
  t.is(telemetry.cooling?.tanks?.[1]?.enabled, true)
  t.is(telemetry.ups?.batteryPct, 100)
  t.is(telemetry.setpointTempC, 38)
  t.is(telemetry.tactics?.run.electricityPrice, 0.05)
})

test('every command of a D40 changes what it tells, and is confirmed by that', async (t) => {
  const { io, container } = await site(t, { gapMs: 0 })
  const d40 = container()
  await observe(device, io)
  const commands: readonly (readonly [CommandName, unknown, () => unknown])[] = [
    ['switchPump', { type: 'oil', id: '2', on: false }, () => !d40.pumps.OilPump2 && d40.pumps.OilPump1],
    ['switchFan', { cooler: '1', fan: '3', on: false }, () => !d40.coolers[1]![3] && d40.coolers[1]![4]],
    [
      'switchSocket',
      {
        sockets: [
          { pdu: '1-2', on: false },
          { pdu: '2-1', socket: '5', on: false },
        ],
      },
      () => d40.sockets.flat().filter(Boolean).length === 97,
    ],
    ['switchSocket', { sockets: [{ on: true }] }, () => d40.sockets.flat().every(Boolean)],
    [
      'switchTank',
      { tank: '2', on: false },
      () => d40.parameters.Tank2Enable === '0' && d40.parameters.Tank1Enable === '1',
    ],
    [
      'setLiquidTemp',
      { tempC: 36 },
      () => d40.parameters.CoolOilSettingTemp === '36' && d40.parameters.HotOilAlarmTemp === '60',
    ],
    ['setCoolingLimits', { hotOilAlarmC: 62, exhaustFan: false }, () => d40.parameters.AirExhaustEnable === '0'],
    ['setTactics', { run: { by: 'electricity', electricityPrice: 0.03 }, stop: { by: 'off' } }, () => true],
    ['switchCooling', { on: false }, () => d40.coolers.flat().every((fan) => !fan)],
    ['switchContainer', { on: false }, () => !d40.running],
  ]
  for (const [name, params, holds] of commands) {
    const receipt = await execute(device, io, name, params)
    t.is(receipt.state, 'confirmed', `${name}: ${receipt.reason}`)
    t.ok(holds(), name)
  }
  await d40.faults.set({ kind: 'pumpFailed' })
  const { telemetry } = await seen(io, ({ telemetry: now }) => (now.errors ?? []).length > 0)
  t.alike(
    telemetry.errors?.map(({ code, index, severity }) => [code, index, severity]),
    [['oil-pump-error', 0, 'critical']],
  )
  await d40.faults.clear()
  t.is((await execute(device, io, 'resetAlarms', {})).state, 'confirmed')
})

test('what a D40 cannot take is refused before a message goes out', async (t) => {
  const { io, container } = await site(t)
  container()
  await observe(device, io)
  for (const [name, params, code] of [
    ['switchPump', { type: 'circulation', on: true }, 'DEVICE_UNSUPPORTED'],
    ['switchPump', { type: 'oil', id: '3', on: true }, 'BAD_REQUEST'],
    ['switchFan', { cooler: '2', on: true }, 'BAD_REQUEST'],
    ['switchTank', { tank: '3', on: true }, 'BAD_REQUEST'],
    ['switchSocket', { sockets: [{ pdu: '3-1', on: true }] }, 'BAD_REQUEST'],
    ['setLiquidTemp', { auto: true }, 'DEVICE_UNSUPPORTED'],
    ['setLiquidTemp', { tempC: 70 }, 'BAD_REQUEST'],
    ['setCoolingLimits', { pressureAlarmKpa: 100 }, 'DEVICE_UNSUPPORTED'],
    ['setTactics', { run: { by: 'coin' }, stop: { by: 'off' } }, 'BAD_REQUEST'],
  ] as const)
    await t.exception(execute(device, io, name, params), { code }, `${name} ${JSON.stringify(params)}`)
})

test('the broker lets nobody in but its containers, each only to its own topics', async (t) => {
  const { io, port, container } = await site(t)
  const right = container()
  await observe(device, io)
  t.ok(right.connected)
  const outcomes = [
    { clientId: 'none' },
    { clientId: 'wrong', username: 'C024_D40', password: 'guess' },
    { clientId: 'other', username: 'C025_D40', password: 'secret' },
    { clientId: 'empty', username: 'C024_D40', password: '' },
  ].map((account) => {
    return new Promise<string>((resolve) => {
      const client = new MqttClient({
        host: '127.0.0.1',
        port,
        topics: ['C024_D40PDUOperate'],
        onMessage: () => resolve('heard'),
        onReady: () => resolve('in'),
        onEnd: resolve,
        ...account,
      })
      t.teardown(() => client.close())
    })
  })
  t.alike(new Set(await Promise.all(outcomes)), new Set(['refused with 5']))
})

test('a container without an account is only let in from its own address, and is said to need one', async (t) => {
  const closed = await site(t, {}, null)
  await t.exception(observe(device, closed.io), { code: 'DEVICE_AUTH' })
  const byAddress = await site(t, { address: '127.0.0.1' }, null)
  byAddress.container({ password: '' })
  t.is((await observe(device, byAddress.io)).telemetry.running, true)
  const elsewhere = await site(t, { address: '10.9.8.7' }, null)
  const stranger = elsewhere.container({ password: '' })
  await t.exception(observe(device, { ...elsewhere.io, signal: AbortSignal.timeout(300) }))
  t.is(stranger.connected, false)
})

test('garbage and half messages make a field missing with a reason; a broker that cannot listen says so', async (t) => {
  const { io, port, container } = await site(t)
  const d40 = container()
  await observe(device, io)
  await d40.faults.set({ kind: 'garbage' })
  await t.exception(
    seen(io, () => false),
    { code: 'DEVICE_BAD_REPLY' },
  )
  const second = ioOf(
    t,
    { name: 'mqtt', number: port },
    {
      library: 'container-bitdeer',
      host: 'C025_D40',
      credentials: [{ username: '', password: 'x' }],
      options: { port },
    },
  )
  await t.exception(observe(device, second), /cannot listen/)
})
