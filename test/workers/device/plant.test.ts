import test from 'brittle'
import { readConfig } from '#node'
import { abbB23, ModbusGateway, senecaZ4rtd2 } from '#sim'
import { kinds } from '../../../src/cli/site.js'
import { startWorker } from './bench.js'

async function gateway(t: { teardown(close: () => unknown): void }) {
  const units = new Map([
    [1, abbB23(() => 30_000)],
    [2, abbB23(() => 12_000)],
    [3, senecaZ4rtd2(() => [30, 31, undefined, 33])],
  ])
  const made = await new ModbusGateway(units).listen()
  t.teardown(() => made.close())
  return made
}

test('meters behind one gateway are polled over one connection, each as its own device; it closes with the worker', async (t) => {
  const made = await gateway(t)
  const at = { host: '127.0.0.1', port: made.listener.port }
  const { store, call, close } = await startWorker(t, {
    path: await t.tmp(),
    library: 'powermeter-abb',
    devices: [
      { ...at, unit: 1, options: { measures: 'site', gapMs: 0 } },
      { ...at, unit: 2, options: { gapMs: 0 } },
    ],
  })
  const ids = [...store.entries().keys()]
  const records = await Promise.all(ids.map((id) => call.poll({ id })))
  t.alike(
    records.map(({ kind, status, model }) => [kind, status, model]),
    [
      ['powermeter', 'running', 'B23'],
      ['powermeter', 'running', 'B23'],
    ],
  )
  t.alike(
    records.map(({ metrics }) => Math.round((metrics.powerW ?? 0) / 100) * 100),
    [30_000, 12_000],
  )
  t.is(records[0]?.metrics.sitePowerW, records[0]?.metrics.powerW)
  t.absent(records[1]?.metrics.sitePowerW)
  t.is(made.listener.connections, 1)
  await t.exception(call.addDevices({ entries: [{ host: '127.0.0.1', unit: 9, options: { measure: 'site' } }] }), {
    code: 'BAD_REQUEST',
  })
  await close()
  t.is(made.listener.connections, 0)
})

test('settings of a library are refused at start with their path', (t) => {
  const entry = (options: unknown) => ({
    services: [{ name: 'meters', lib: 'powermeter-generic', devices: [{ host: '10.0.0.9', options }] }],
  })
  const wrong = { registers: [{ field: 'powerW', address: 0, type: 'u24' }] }
  t.exception(
    () => readConfig(entry(wrong), { env: {}, kinds }),
    /services\[0\]\.devices\[0\]\.options\.registers\[0\]\.type/,
  )
  t.execution(() =>
    readConfig(entry({ registers: [{ field: 'powerW', address: 0, type: 'u32' }] }), { env: {}, kinds }),
  )
})
