import test from 'brittle'
import fc from 'fast-check'
import {
  type DeviceError,
  healthOf,
  isLive,
  measured,
  metricNames,
  minerStatus,
  type StatusFacts,
  statuses,
  statusOf,
} from '#model'

const critical: DeviceError = { code: 'over-temperature', severity: 'critical', component: 'board', message: 'too hot' }
const facts = (changes: Partial<StatusFacts>): StatusFacts => ({
  failures: 0,
  never: false,
  metrics: {},
  errors: [],
  ...changes,
})

test('the first rule that applies decides the status', (t) => {
  const cases: [string, Partial<StatusFacts>][] = [
    ['offline', { failures: 2, metrics: { hashrateThs: 100 } }],
    ['offline', { failures: 1, never: true }],
    ['rebooting', { failures: 5, pending: 'rebooting' }],
    ['unknown', { never: true }],
    ['updating', { pending: 'updating', metrics: { hashrateThs: 100 } }],
    ['sleeping', { asleep: true, metrics: { hashrateThs: 0 } }],
    ['curtailed', { asleep: true, curtailed: true }],
    ['mining', { metrics: { hashrateThs: 100 } }],
    ['mining', { failures: 1, metrics: { hashrateThs: 100 } }],
    ['tuning', { tuning: true, metrics: { hashrateThs: 100 } }],
    ['error', { metrics: { hashrateThs: 40, expectedHashrateThs: 100 }, errors: [critical] }],
    ['mining', { metrics: { hashrateThs: 90, expectedHashrateThs: 100 }, errors: [critical] }],
    ['starting', { metrics: { hashrateThs: 0, uptimeS: 60 } }],
    ['error', { metrics: { hashrateThs: 0, uptimeS: 6000 }, errors: [critical] }],
    ['not-mining', { metrics: { hashrateThs: 0, uptimeS: 6000 } }],
    ['unknown', { metrics: {} }],
  ]
  for (const [expected, change] of cases) t.is(minerStatus(facts(change)), expected, JSON.stringify(change))
})

test('a hashrate that is not known is never taken for zero', (t) => {
  for (const metrics of [{}, { hashrateThs: null }]) t.is(minerStatus(facts({ metrics })), 'unknown')
})

test('health: critical by a critical error, degraded by a lasting shortfall, not to be told when not read', (t) => {
  t.is(healthOf('mining', { hashrateThs: 100, expectedHashrateThs: 100 }, []), 'ok')
  t.is(healthOf('mining', { hashrateThs: 80, expectedHashrateThs: 100 }, []), 'degraded')
  t.is(healthOf('mining', { hashrateThs: 100 }, [critical]), 'critical')
  t.is(healthOf('offline', { hashrateThs: 100 }, [critical]), 'unknown')
})

test('any facts give one of the known states, and only live ones count', (t) => {
  fc.assert(
    fc.property(
      fc.record({
        failures: fc.nat(5),
        never: fc.boolean(),
        asleep: fc.boolean(),
        tuning: fc.boolean(),
        rate: fc.option(fc.double({ min: 0, max: 1000, noNaN: true })),
      }),
      ({ rate, ...rest }) => {
        const status = minerStatus(facts({ ...rest, metrics: { hashrateThs: rate } }))
        return statuses.includes(status) && (isLive(status) || rest.failures > 0 || rest.never || rate === null)
      },
    ),
  )
  t.pass()
})

test('what a device cannot have measured is not reported: NaN, infinities, vendor sentinels', (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...metricNames), fc.double(), (metric, value) => {
      const result = measured(metric, value)
      return result === undefined || (Number.isFinite(result) && result === value)
    }),
  )
  t.is(measured('powerW', -1), undefined)
  t.is(measured('chipTempMaxC', 255), undefined)
  t.is(measured('hashrateThs', 0), 0, 'a measured zero stays a zero')
})

test('what is no miner: a container runs, stands or has an alarm; meters and sensors run as long as they tell values', (t) => {
  const medium: DeviceError = { ...critical, severity: 'medium' }
  t.is(statusOf('container', facts({ running: true })), 'running')
  t.is(statusOf('container', facts({ running: false })), 'stopped')
  t.is(statusOf('container', facts({})), 'unknown')
  t.is(statusOf('container', facts({ running: true, errors: [critical] })), 'error')
  t.is(statusOf('container', facts({ running: true, errors: [medium] })), 'running')
  t.is(statusOf('container', facts({ running: true, failures: 2 })), 'offline')
  t.is(statusOf('powermeter', facts({ metrics: { powerW: -5 } })), 'running')
  t.is(statusOf('sensor', facts({ metrics: { temperatureC: 20 }, errors: [medium] })), 'running')
  t.is(statusOf('sensor', facts({ errors: [medium] })), 'error')
})

test('power below zero is a measured value of a meter, and a sentinel of anything else', (t) => {
  t.is(measured('powerW', -1200, 'powermeter'), -1200)
  t.is(measured('powerW', -1, 'miner'), undefined)
})
