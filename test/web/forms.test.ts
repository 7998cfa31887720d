import test from 'brittle'
import { commands, matches } from '#model'
import { commandsOf, failedIds, impactOf, phraseFor, progressOf } from '../../web/src/commanding.js'
import {
  controlOf,
  initial,
  isObject,
  labelOf,
  problems,
  type Schema,
  variantOf,
  withoutRemoved,
  withProperty,
} from '../../web/src/forms.js'
import { madeUp } from './crowd.js'

/** As the page gets it: the plain data of the schema. */
const schemaOf = (name: keyof typeof commands): Schema => JSON.parse(JSON.stringify(commands[name].input))

const valid: Record<string, unknown[]> = {
  reboot: [{}],
  setPowerMode: [{ mode: 'low' }],
  setPowerLimit: [{ watts: 3400 }],
  setHashrateTarget: [{ ths: 0.5 }],
  setFan: [{ dutyPct: 80 }, { mode: 'auto', zeroSpeed: true }],
  setPools: [{ pools: [{ url: 'stratum+tcp://a:3333', user: 'u' }] }],
  setNetwork: [
    { dhcp: true },
    { dhcp: false, ip: '10.0.0.2', netmask: '255.255.255.0', gateway: '10.0.0.1', dns: ['9.9.9.9'] },
  ],
  setHostname: [{ hostname: 'row-1' }],
  updateFirmware: [{ path: '/tmp/a.bin', sha256: 'a'.repeat(64) }],
}
const invalid: Record<string, unknown[]> = {
  setPowerMode: [{}, { mode: 'turbo' }],
  setPowerLimit: [{}, { watts: -1 }, { watts: 1.5 }, { watts: 100_000 }, { watts: '3400' }],
  setHashrateTarget: [{ ths: 0 }],
  setFan: [{}, { dutyPct: 101 }, { mode: 'fast' }],
  setPools: [{}, { pools: [] }, { pools: [{ url: 'nothing', user: 'u' }] }, { pools: [{ url: 'stratum+tcp://a:1' }] }],
  setNetwork: [
    {},
    { dhcp: false },
    { dhcp: false, ip: '10.0.0.256', netmask: '255.255.255.0', gateway: '10.0.0.1', dns: ['9.9.9.9'] },
  ],
  setHostname: [{ hostname: '' }, { hostname: 'a b' }],
  updateFirmware: [{ path: '/tmp/a.bin', sha256: 'abc' }],
}

test('the form accepts what the command accepts and refuses what it refuses', (t) => {
  for (const [cases, good] of [
    [valid, true],
    [invalid, false],
  ] as const) {
    for (const [name, values] of Object.entries(cases)) {
      const schema = schemaOf(name as keyof typeof commands)
      for (const value of values) {
        const found = problems(schema, value)
        t.is(Object.keys(found).length === 0, good, `${name} ${JSON.stringify(value)} ${JSON.stringify(found)}`)
        t.is(matches(commands[name as keyof typeof commands].input, value), good, 'as the gateway does')
      }
    }
  }
})

test('problems name their place', (t) => {
  t.alike(Object.keys(problems(schemaOf('setPools'), { pools: [{ url: 'x', user: 'u' }] })), ['/pools/0/url'])
  t.alike(
    Object.keys(
      problems(schemaOf('setNetwork'), {
        dhcp: false,
        ip: 'x',
        netmask: '255.0.0.0',
        gateway: '10.0.0.1',
        dns: ['9.9.9.9'],
      }),
    ),
    ['/ip'],
  )
})

test('every command has a form: each part a control and a label', (t) => {
  const walk = (schema: Schema, name: string): number => {
    t.ok(controlOf(schema, name))
    if (name) t.ok(labelOf(name).length > 0)
    return Object.entries(schema.properties ?? {}).reduce((sum, [inner, part]) => sum + walk(part, inner), 1)
  }
  for (const name of Object.keys(commands) as (keyof typeof commands)[]) {
    walk(schemaOf(name), '')
    t.ok(isObject(initial(schemaOf(name))), `${name} starts as an object`)
  }
  t.is(controlOf({ type: 'string' }, 'password'), 'secret')
  t.is(labelOf('zeroSpeed'), 'Zero speed')
})

test('alternatives are told by their constants', (t) => {
  const schema = schemaOf('setNetwork')
  t.is(variantOf(schema, { dhcp: true }), 0)
  t.is(variantOf(schema, { dhcp: false }), 1)
  t.is(variantOf(schema, undefined), 0)
  t.alike(initial(schema), { dhcp: true })
})

test('an emptied input is left out, and a removed secret is asked for again', (t) => {
  t.alike(withProperty({ a: 1, b: 2 }, 'a', undefined), { b: 2 })
  t.alike(withProperty(undefined, 'a', 1), { a: 1 })
  t.alike(withoutRemoved({ pools: [{ url: 'x', password: '[removed]' }] }), { pools: [{ url: 'x' }] })
})

test('the impact counts those that can do it and the power of the live ones', (t) => {
  const base = { ...madeUp(1, 1, () => 0.5), capabilities: ['reboot'], simulated: false }
  const records = [
    { ...base, id: 'a', status: 'mining' as const, metrics: { powerW: 3000 } },
    { ...base, id: 'b', status: 'offline' as const, metrics: { powerW: 9000 } },
    { ...base, id: 'c', status: 'mining' as const, metrics: {}, simulated: true },
    { ...base, id: 'd', status: 'mining' as const, metrics: { powerW: 1 }, capabilities: [] },
  ]
  const impact = impactOf(records, 'reboot')
  t.alike(
    { ...impact, able: impact.able.map(({ id }) => id) },
    { able: ['a', 'b', 'c'], unable: 1, powerW: 3000, offline: 1, simulated: 1 },
  )
  t.is(impactOf([records[2]!], 'reboot').powerW, null, 'nobody reports it')
  t.alike([...commandsOf(records)], [['reboot', 3]])
})

test('what disturbs many, or may need hands, has to be typed', (t) => {
  t.is(phraseFor('safe', 'setLed', 5000), null)
  t.is(phraseFor('disruptive', 'reboot', 10), null)
  t.is(phraseFor('disruptive', 'reboot', 11), '11')
  t.is(phraseFor('dangerous', 'factoryReset', 1), 'factoryReset')
  t.is(phraseFor('dangerous', 'factoryReset', 400), '400')
})

test('progress adds up, and a retry takes what failed or is not known', (t) => {
  const progress = progressOf({
    counts: { confirmed: 3, accepted: 1, failed: 2, skipped: 1, unknown: 1, running: 1, queued: 4 },
  })
  t.alike(progress, { total: 13, ended: 8, confirmed: 3, accepted: 1, failed: 3, skipped: 1, running: 1, queued: 4 })
  const results = (['confirmed', 'failed', 'unknown', 'skipped'] as const).map((state) => ({ deviceId: state, state }))
  t.alike(failedIds({ results } as unknown as Parameters<typeof failedIds>[0]), ['failed', 'unknown'])
})
