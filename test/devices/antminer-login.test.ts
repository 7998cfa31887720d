import test from 'brittle'
import { observe } from '#devices'
import { SdkError } from '#model'
import { web } from '../../src/devices/kit/bitmain.js'
import { antminerStock } from '../../src/devices/miners/antminer.js'
import { FakeClock } from '../support/fake-clock.js'
import { AntminerDevice, asS19 } from './antminer-device.js'

const mine = { username: 'root', password: 'mine' }
const root = { username: 'root', password: 'root' }

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'none'
  } catch (error) {
    return error instanceof SdkError ? error.code : String(error)
  }
}

test('one challenge serves many requests and visits', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  const io = device.io()
  for (let visit = 0; visit < 5; visit++) await web(io, { cgi: 'stats' })
  t.is(device.challenges, 1)
})

for (const noStaleFlag of [false, true])
  test(`a nonce that became too old is replaced ${noStaleFlag ? 'also where the device does not say so' : 'when the device says so'}`, async (t) => {
    const device = await asS19(new AntminerDevice({ nonceUses: 2, noStaleFlag })).start(t)
    const io = device.io()
    for (let visit = 0; visit < 7; visit++) await web(io, { cgi: 'stats' })
    t.is(device.seen.length, 7)
  })

test('the credentials of the operator come before the factory ones, and the right ones are kept', async (t) => {
  const device = await asS19(new AntminerDevice({ password: 'root' })).start(t)
  const io = device.io({ credentials: [mine, root] })
  await web(io, { cgi: 'stats' })
  t.is(device.challenges, 2, 'asked once, refused once')
  await web(io, { cgi: 'stats' })
  t.is(device.challenges, 2)
})

test('the factory password is tried when the operator gave none', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  await web(device.io({ credentials: [] }), { cgi: 'stats' })
  t.is(device.seen.length, 1)
})

test('a device that refuses is left in peace for a while, and asked at once when the credentials change', async (t) => {
  const device = await asS19(new AntminerDevice({ password: 'mine' })).start(t)
  const clock = new FakeClock()
  const io = device.io({ clock })
  t.is(await codeOf(web(io, { cgi: 'stats' })), 'DEVICE_AUTH')
  const asked = device.challenges
  t.is(await codeOf(web(io, { cgi: 'stats' })), 'DEVICE_AUTH')
  t.is(device.challenges, asked)
  await web({ ...io, credentials: [mine, root] }, { cgi: 'stats' })
  t.is(device.seen.length, 1)

  await clock.advance(60_001)
  t.is(await codeOf(web(io, { cgi: 'stats' })), 'DEVICE_AUTH')
  t.ok(device.challenges > asked, 'after a minute it is tried again')
})

test('a visit to a device that refuses the password asks its web once, and says that it needs one', async (t) => {
  const device = await asS19(new AntminerDevice({ password: 'mine' })).start(t)
  try {
    await observe(antminerStock, device.io({ ports: { ...device.ports, rpc: 1 } }))
    t.fail('nothing was read')
  } catch (error) {
    t.is((error as SdkError).code, 'DEVICE_AUTH')
    t.ok((error as SdkError).message.includes('default password'))
  }
  t.is(device.challenges, 2)
})

test('another kind of login is no stock firmware', async (t) => {
  const device = await new AntminerDevice({ open: true }).start(t)
  device.cgi.stats = (_: unknown, response: { writeHead(code: number, headers: object): { end(): void } }) =>
    void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
  t.is(await codeOf(web(device.io(), { cgi: 'stats' })), 'DEVICE_AUTH')
  t.absent(
    device.seen.some(({ authorization }) => authorization),
    'no password is shown to it',
  )
})
