import test from 'brittle'
import { check } from '#model'
import { KeepSchema, keepOf } from '../../../src/workers/device/keep.js'

const day = 86_400_000

test('how much is kept is said as people say it, and taken as the store takes it', (t) => {
  const keep = { raw: '3d', '1m': { age: '2w', size: '500MB' }, '5m': 'forever', '1h': { size: '20GB' } }
  check(KeepSchema, keep, 'keep')
  t.alike(keepOf(keep), {
    raw: { ageMs: 3 * day },
    '1m': { ageMs: 14 * day, bytes: 5e8 },
    '5m': {},
    '1h': { bytes: 2e10 },
  })
  t.alike(keepOf(), {})
  for (const wrong of [{ raw: '3' }, { raw: '0d' }, { raw: 'd' }, { raw: { size: '3d' } }, { daily: '3d' }])
    t.exception(() => check(KeepSchema, wrong, 'keep'))
})
