import test from 'brittle'
import { miners, plainModel, SiteModelsSchema, withModels } from '#devices'
import { check } from '#model'

const antminer = miners.find(({ library }) => library === 'miner-antminer')!

test('a site adds the row of a model that is not in the table, in any spelling', (t) => {
  t.is(antminer.modelOf('S99 Pro'), undefined)
  const device = withModels(antminer, {
    'Antminer S99-Pro': { boards: 4, chips: 12, fans: 2, nominalHashrateThs: 900 },
  })
  t.alike(device.modelOf('S99 Pro'), { boards: 4, chips: 12, fans: 2, nominalHashrateThs: 900 })
  t.ok(Object.keys(device.models).includes('Antminer S99-Pro'))
  t.is(device.modelOf('S98 Pro'), undefined)
})

test('a fact of the site stands before ours, the others stay', (t) => {
  const device = withModels(antminer, { 'S21 Pro': { nominalHashrateThs: 234 } })
  const row = device.modelOf('S21 Pro')
  t.is(row?.nominalHashrateThs, 234)
  t.is(row?.chips, antminer.modelOf('S21 Pro')?.chips)
  t.is(antminer.modelOf('S21 Pro')?.nominalHashrateThs, undefined)
})

test('without rows the definition is the same value', (t) => {
  t.is(withModels(antminer, undefined), antminer)
  t.is(withModels(antminer, {}), antminer)
})

test('facts are checked', (t) => {
  for (const bad of [{ S99: {} }, { S99: { boards: 0 } }, { S99: { chip: 3 } }, { S99: { cooling: 'water' } }])
    t.exception(() => check(SiteModelsSchema, bad, 'models'), { code: 'BAD_REQUEST' })
  t.is(plainModel('Antminer S21 Pro+'), plainModel('S21-ProPlus'))
})
