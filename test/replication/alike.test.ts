import test from 'brittle'
import type { DeviceRecord } from '#model'
import { alike } from '../../src/replication/alike.js'
import { record } from './support.js'

const board = { slot: 0, status: 'ok', hashrateThs: 30, chips: 100 } as const
const before: DeviceRecord = { ...record('a', 1), boards: [{ ...board }], serial: 'S1', psu: { model: 'P20' } }

/** Both ways: which of the two came first does not matter. */
const areAlike = (other: Partial<DeviceRecord>) => {
  const after: DeviceRecord = { ...before, ...other }
  return [alike(before, after), alike(after, before)]
}

test('records that differ in readings alone are alike', (t) => {
  t.alike(areAlike({}), [true, true])
  t.alike(areAlike({ at: 5, askedAt: 6, latencyMs: 7, metrics: { hashrateThs: 1 } }), [true, true])
  t.alike(areAlike({ boards: [{ ...board, hashrateThs: 31.5 }] }), [true, true])
  t.alike(areAlike({ boards: [{ ...board, hashrateThs: null }] }), [true, true], 'also a number that is not known now')
  const { chips: _, ...without } = board
  t.alike(areAlike({ boards: [without] }), [true, true], 'or not there')
  t.alike(areAlike({ boards: [{ ...board, boardTempC: 60 }] }), [true, true], 'or there for the first time')
})

test('unknown and absent are the same', (t) => {
  const { psu: _, ...absent } = before
  t.ok(alike({ ...absent, psu: null } as DeviceRecord, absent as DeviceRecord))
  t.ok(alike(absent as DeviceRecord, { ...absent, psu: null } as DeviceRecord))
})

test('anything that a person would call different is not alike', (t) => {
  t.alike(areAlike({ serial: 'S2' }), [false, false])
  t.alike(areAlike({ serial: null }), [false, false])
  t.alike(areAlike({ psu: null }), [false, false])
  t.alike(areAlike({ psu: { model: 'P20', version: '2' } }), [false, false], 'a field more on one side')
  t.alike(areAlike({ psu: { version: 'P20' } }), [false, false], 'as many fields, but others')
  t.alike(areAlike({ boards: [{ ...board, status: 'error' }] }), [false, false])
  t.alike(areAlike({ boards: [{ ...board, serial: 'B1' }] }), [false, false], 'a text that is new in a part')
  t.alike(areAlike({ boards: [board, { ...board, slot: 1 }] }), [false, false])
  t.alike(areAlike({ tags: ['x'] }), [false, false])
})
