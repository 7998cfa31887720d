import test from 'brittle'
import type { DeviceRow } from '../../web/src/client.js'
import { matcher, noFilter } from '../../web/src/filter.js'
import { briefOf, figuresOf, socketsOf } from '../../web/src/plant.js'
import { madeUp } from './crowd.js'

const row = (kind: DeviceRow['kind'], metrics: DeviceRow['metrics']): DeviceRow => ({
  ...madeUp(1, 1000, () => 0.5),
  kind,
  metrics,
})

test('of plant what it reports is shown, of a miner nothing here', (t) => {
  const container = row('container', { supplyTempC: 32, returnTempC: 36, powerW: 80_000, flowLpm: null })
  t.alike(briefOf(container), ['supplyTempC', 'returnTempC'], 'power has a column of its own')
  t.alike(figuresOf(container), ['supplyTempC', 'returnTempC', 'powerW'])
  t.alike(briefOf(row('sensor', { digital: 0 })), ['digital'], 'a measured zero is a value')
  t.alike(briefOf(row('miner', { hashrateThs: 100, powerW: 3000 })), [])
})

test('kinds can be asked for like all other facets', (t) => {
  const wanted = matcher({ ...noFilter, kind: ['sensor', 'powermeter'] })
  t.ok(wanted(row('sensor', {})))
  t.absent(wanted(row('miner', {})))
})

test('sockets are counted over all distribution units; one that is not known is not on', (t) => {
  const pdus = [
    {
      id: '1',
      sockets: [
        { id: '1', enabled: true },
        { id: '2', enabled: false },
      ],
    },
    { id: '2', online: false, sockets: [{ id: '1', enabled: null }] },
  ]
  t.alike(socketsOf({ pdus }), { all: 3, on: 1 })
  t.alike(socketsOf({}), { all: 0, on: 0 })
})
