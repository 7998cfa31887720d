// Run by `node --test`: the capture of a real device goes in, the values that the device showed must come out.
import assert from 'node:assert/strict'
import test from 'node:test'
import { execute, identify, observe, systemClock } from 'miningsdk'
import { devices } from '../index.js'
import { capture, serveAcme } from './acme.js'

/** What the library is given of the world, with a device that answers as the captured one did. */
async function acme(t, reply = capture) {
  const server = await serveAcme(reply)
  t.after(() => server.close())
  const { port } = server.address()
  const signal = AbortSignal.timeout(5000)
  return { host: '127.0.0.1', ports: { http: port }, credentials: [], signal, memory: new Map(), clock: systemClock }
}

test('it is recognised, and its capture is read', async (t) => {
  const io = await acme(t)
  const { device } = await identify(devices, io)
  assert.equal(device, devices[0])
  const { telemetry, missing } = await observe(device, io)
  assert.deepEqual(missing, {})
  assert.equal(telemetry.hashrateThs, 198.4)
  assert.equal(telemetry.chipTempMaxC, 73)
  assert.equal(telemetry.boards.length, 3)
})

test('what is no Acme is not taken for one', async (t) => {
  const io = await acme(t, { vendor: 'Other' })
  assert.equal((await identify(devices, io)).device, undefined)
  await assert.rejects(observe(devices[0], io))
})

test('the light is confirmed by reading it back', async (t) => {
  const io = await acme(t)
  const receipt = await execute(devices[0], io, 'setLed', { on: true })
  assert.equal(receipt.state, 'confirmed')
})
