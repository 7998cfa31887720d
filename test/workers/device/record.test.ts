import test from 'brittle'
import { defineDevice, type Observation } from '#devices'
import { type DeviceError, SdkError } from '#model'
import { changedSettings, changesBetween, hasSameSettings, settingsOf } from '../../../src/workers/device/changes.js'
import { emptyRecord, failedRecord, placed, readRecord } from '../../../src/workers/device/record.js'
import { kinds, record } from '../support.js'

const device = defineDevice({
  library: 'miner-test',
  kind: 'miner',
  make: 'Test',
  family: 'stock',
  mainPort: { name: 'rpc', default: 4028 },
  models: { T1: { nominalHashrateThs: 100 } },
  identify: { probes: [], match: () => undefined },
  reads: {},
  telemetry: () => ({}),
  commands: {},
  defaults: { intervalMs: 10_000, timeoutMs: 1000, credentials: [] },
})

const home = { site: 'home', worker: 'w', kind: 'miner', make: 'Test', mainPort: 4028, simulated: false } as const
const fan: DeviceError = { code: 'fan-lost', severity: 'high', component: 'fan', index: 1, message: 'Fan 1 is lost.' }

function seen(change: Partial<Observation> = {}): Observation {
  return {
    telemetry: { model: 'T1', hashrateThs: 100, powerW: 3000, uptimeS: 7000, mac: 'C4:11:00:00:00:01', errors: [] },
    missing: {},
    model: { nominalHashrateThs: 100 },
    replies: {},
    latencyMs: 12,
    ...change,
  }
}
const facts = { at: 5000, askedAt: 4990, pending: undefined }
const failure = (failures: number) => ({ failures, askedAt: 9000, pending: undefined })

test('a device that was never read says so, and where it is', (t) => {
  const empty = emptyRecord(home, 'x', { host: '10.0.0.9', name: 'Nine', tags: ['row-a'], location: { rack: 2 } })
  t.is(empty.status, 'unknown')
  t.is(empty.at, null)
  t.is(empty.address, '10.0.0.9:4028')
  t.is(empty.name, 'Nine')
  t.alike(empty.metrics, {})
  t.is(placed(empty, home, { host: '10.0.0.10', port: 5000 }).address, '10.0.0.10:5000')
})

test('what was read stands in the record with its time, what was not reported is absent', (t) => {
  const next = readRecord(record({ metrics: { powerW: 1 } }), device, seen(), facts)
  t.is(next.status, 'mining')
  t.is(next.health, 'ok')
  t.is(next.at, 5000)
  t.is(next.askedAt, 4990)
  t.is(next.latencyMs, 12)
  t.alike(JSON.parse(JSON.stringify(next.metrics)), { hashrateThs: 100, powerW: 3000, uptimeS: 7000 })
  t.is(next.mac, 'C4:11:00:00:00:01')
  t.is(next.unknownModel, false)
  t.is(readRecord(record(), device, seen({ model: undefined }), facts).unknownModel, true)
})

test('measures that could not be read are gone, identity and settings stay', (t) => {
  const before = readRecord(record(), device, seen(), facts)
  const missing = {
    powerW: { code: 'DEVICE_TIMEOUT', message: 'late' },
    mac: { code: 'DEVICE_TIMEOUT', message: 'late' },
  } as const
  const next = readRecord(before, device, seen({ telemetry: { model: 'T1', hashrateThs: 90 }, missing }), facts)
  t.is(next.metrics.powerW, undefined)
  t.is(next.mac, 'C4:11:00:00:00:01', 'a MAC does not change by a failed read')
  t.alike(next.missing, missing)
  t.is(
    readRecord(before, device, seen({ telemetry: { model: 'T1', hashrateThs: 90 } }), facts).mac,
    null,
    'one not reported any more does',
  )
})

test('errors keep when they came; unread errors are not gone', (t) => {
  const first = readRecord(record(), device, seen({ telemetry: { hashrateThs: 100, errors: [fan] } }), facts)
  t.alike([first.errors[0]?.firstSeenAt, first.errors[0]?.lastSeenAt], [5000, 5000])
  t.is(first.health, 'degraded')
  const second = readRecord(first, device, seen({ telemetry: { hashrateThs: 100, errors: [fan] } }), {
    ...facts,
    at: 6000,
  })
  t.alike([second.errors[0]?.firstSeenAt, second.errors[0]?.lastSeenAt], [5000, 6000])
  const unread = readRecord(
    second,
    device,
    seen({ telemetry: { hashrateThs: 100 }, missing: { errors: { code: 'DEVICE_TIMEOUT', message: 'late' } } }),
    { ...facts, at: 7000 },
  )
  t.alike([unread.errors[0]?.firstSeenAt, unread.errors[0]?.lastSeenAt], [5000, 6000])
  t.alike(kinds(changesBetween(second, unread, 7000)), [])
  const cleared = readRecord(unread, device, seen(), { ...facts, at: 8000 })
  t.alike(kinds(changesBetween(unread, cleared, 8000)), ['error-cleared'])
  t.alike(kinds(changesBetween(cleared, second, 8000)), ['error-raised'])
})

test('one failure changes nothing, then a silent device is offline and keeps its values with their age', (t) => {
  const before = readRecord(record(), device, seen(), facts)
  const error = new SdkError('DEVICE_UNREACHABLE', 'the connection was refused')
  const once = failedRecord(before, error, failure(1))
  t.alike({ ...once, askedAt: before.askedAt }, before)
  const twice = failedRecord(once, error, failure(2))
  t.is(twice.status, 'offline')
  t.is(twice.health, 'unknown')
  t.is(twice.statusReason, 'the connection was refused')
  t.is(twice.at, 5000)
  t.is(twice.askedAt, 9000)
  t.alike(twice.metrics, before.metrics)
  t.is(twice.missing.metrics?.code, 'DEVICE_UNREACHABLE')
  t.alike(changesBetween(once, twice, 9000)[0]?.data, { from: 'mining', to: 'offline', reason: error.message })
  const back = readRecord(twice, device, seen(), { ...facts, at: 10_000 })
  t.is(back.status, 'mining')
  t.alike(back.missing, {})
})

test('a device that answers what cannot be read is not called offline', (t) => {
  const error = new SdkError('DEVICE_AUTH', 'the device refuses the password')
  const next = failedRecord(record(), error, failure(2))
  t.is(next.status, 'unknown')
  t.is(next.statusReason, error.message)
  t.is(next.missing.metrics?.code, 'DEVICE_AUTH')
})

test('a device that is never met is offline at once, a refused one says so and can do nothing', (t) => {
  const never = emptyRecord(home, 'x', { host: '10.0.0.9' })
  t.is(failedRecord(never, new SdkError('DEVICE_UNREACHABLE'), failure(1)).status, 'offline')
  const refused = failedRecord(record(), new SdkError('DEVICE_NOT_ACCEPTED', 'it is a S19'), failure(1))
  t.is(refused.status, 'unknown')
  t.is(refused.missing.metrics?.code, 'DEVICE_NOT_ACCEPTED')
  t.alike(refused.capabilities, [])
})

test('a device that restarts because of us is not offline', (t) => {
  const pending = { status: 'rebooting', since: 1, runningS: null, until: 99_999 } as const
  const error = new SdkError('DEVICE_UNREACHABLE', 'gone')
  const next = failedRecord(record(), error, { failures: 5, askedAt: 9000, pending })
  t.is(next.status, 'rebooting')
  t.is(next.statusReason, 'it was told to restart')
})

test('settings are what somebody set: no counters, no secrets, no developer fee', (t) => {
  const pool = { index: 0, url: 'stratum+tcp://a:1', user: 'me', active: true, accepted: 7 }
  const fee = { index: 1, url: 'stratum+tcp://fee:1', user: 'dev', devFee: true }
  const before = settingsOf(record({ pools: [pool, fee], tuning: { mode: 'normal', tuned: false } }), undefined)
  t.alike(before, { pools: [{ index: 0, url: pool.url, user: 'me', priority: null }], tuning: { mode: 'normal' } })
  const busy = settingsOf(
    record({ pools: [{ ...pool, accepted: 9, active: false }], tuning: { mode: 'normal', tuned: true } }),
    before,
  )
  t.alike(changedSettings(before, busy), [])
  const other = settingsOf(record({ pools: [{ ...pool, user: 'you' }], tuning: { mode: 'high' } }), before)
  t.alike(changedSettings(before, other), ['pools', 'tuning'])
  const unread = record({
    pools: [],
    tuning: { mode: 'normal' },
    missing: { pools: { code: 'DEVICE_TIMEOUT', message: '' } },
  })
  t.alike(changedSettings(before, settingsOf(unread, before)), [], 'unread is not changed')
  const of = (change: object) => record({ pools: [{ ...pool, ...change }, fee] })
  t.ok(hasSameSettings(of({}), of({ accepted: 9, status: 'dead' })), 'what a pool counted is not compared')
  for (const change of [
    { url: 'stratum+tcp://elsewhere:3333' },
    { user: 'you' },
    { index: 5 },
    { priority: 7 },
    { devFee: true },
  ])
    t.absent(hasSameSettings(of({}), of(change)), Object.keys(change)[0])
})
