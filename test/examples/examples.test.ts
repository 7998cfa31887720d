import test from 'brittle'
import { main } from '../../examples/custom-service.js'

test('a service of one file runs beside the built-in ones and answers its typed contract', async (t) => {
  t.is(await main(await t.tmp()), 42)
})
