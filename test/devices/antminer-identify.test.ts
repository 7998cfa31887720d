import test from 'brittle'
import { identify } from '#devices'
import { antminerModel, antminerName, antminers, antminerTitle } from '../../src/devices/hardware/antminer.js'
import { antminerStock } from '../../src/devices/miners/antminer.js'
import { AntminerDevice, asS19, capture } from './antminer-device.js'

const version = (row: object, description = 'cgminer 1.0.0') => ({
  STATUS: [{ STATUS: 'S', When: 1, Code: 22, Msg: 'versions', Description: description }],
  VERSION: [{ API: '3.1', ...row }],
  id: 1,
})

test('a stock miner says itself what it is', async (t) => {
  const device = await asS19(new AntminerDevice()).start(t)
  device.rpc.version = capture('s19_fleet/rpc_version.json')
  const { device: found, match } = await identify([antminerStock], device.io())
  t.is(found, antminerStock)
  t.is(match?.confidence, 1)
  t.is(match?.model, 'S19')
  t.is(match?.mac, '02:B3:B9:8C:1E:C8')
  t.ok(match!.why.some((why) => why.includes('antMiner Configuration')))
})

test('with a foreign password the RPC tells the model; without both the model stays open', async (t) => {
  const device = await asS19(new AntminerDevice({ password: 'mine' })).start(t)
  const bare = await identify([antminerStock], device.io())
  t.is(bare.match?.confidence, 0.6)
  t.is(bare.match?.model, undefined, 'never guessed')
  t.ok(bare.match!.why.some((why) => why.includes('password')))
  device.rpc.version = capture('s19pro_v2020/version.json')
  const { match } = await identify([antminerStock], device.io())
  t.is(match?.model, 'S19 Pro')
  t.ok(match!.confidence > 0.9)
})

test('the RPC alone is enough where the web is closed', async (t) => {
  const device = await new AntminerDevice().start(t)
  device.rpc.version = capture('s19pro_v2020/version.json')
  await device.stopWeb()
  const { match } = await identify([antminerStock], device.io())
  t.is(match?.confidence, 0.8)
})

const others: [string, object, string?][] = [
  ['LuxOS', version({ LUXminer: '2025.4.8', Type: 'Antminer S19k Pro' }, 'LUXminer 2025.4.8.220305-57b389c7')],
  ['Braiins', version({ BOSer: 'boser-buildroot 0.1.0-abc' }, 'BOSer boser-buildroot 0.1.0')],
  ['BOSminer', version({ 'BOSminer+': '22.08' }, 'BOSminer 1.0.0')],
  ['VNish', version({ CGMiner: '4.11.1', Type: 'Antminer S19 XP (Vnish 1.2.0-rc1)' }, 'cgminer 4.11.1')],
  ['Whatsminer', version({ BMMiner: 'x', Type: 'Antminer' }, 'btminer')],
  ['Avalon', version({ CGMiner: '4.11.1', PROD: 'AvalonMiner' }, 'cgminer 4.11.1')],
  ['cgminer of somebody', version({ CGMiner: '4.9.0' })],
]
for (const [name, reply, page = '<html></html>'] of others) {
  test(`${name} is not taken for stock firmware`, async (t) => {
    const device = await new AntminerDevice({ open: true }).start(t)
    device.cgi.get_system_info = page
    device.rpc.version = reply
    t.is((await identify([antminerStock], device.io())).match, undefined)
    await device.stopWeb()
    t.is((await identify([antminerStock], device.io())).match, undefined, 'nor with its web closed')
  })
}

test('another web page in front of a bmminer, and a login of another realm, are not stock', async (t) => {
  const device = await new AntminerDevice({ open: true }).start(t)
  device.rpc.version = capture('s19pro_v2020/version.json')
  device.cgi.get_system_info = '<meta name="firmware" content="AnthillOS">'
  t.is((await identify([antminerStock], device.io())).match, undefined)
  device.cgi.get_system_info = '<html>nginx</html>'
  t.is((await identify([antminerStock], device.io())).match, undefined)

  const router = await new AntminerDevice({ realm: 'router' }).start(t)
  t.is((await identify([antminerStock], router.io())).match, undefined)
  t.is(router.challenges, 1, 'no password is tried on a stranger')
})

test('nobody there: nothing is claimed', async (t) => {
  const { device, error } = await identify([antminerStock], new AntminerDevice().io())
  t.absent(device)
  t.is(error?.code, 'DEVICE_UNREACHABLE')
})

test('one spelling for every way a model is written', (t) => {
  for (const text of ['Antminer S21 XP Hyd.', 'S21 XP Hydro', 's21xphyd', 'Bitmain Antminer S21XP Hyd'])
    t.is(antminerName(text), 'S21XPHyd', text)
  t.is(antminerName('Antminer S21 Pro+'), 'S21ProPlus')
  for (const name of ['S21 Pro+', 'S19j Pro', 'S21 XP Hyd', 'S19k Pro', 'S19', 'T21'])
    t.is(antminerTitle(`Antminer ${name}`), name)
  t.is(antminerName('Antminer S19K Pro'), 'S19kPro')
  t.is(antminerName('Antminer S19j Pro NoPIC'), 'S19jPro')
  t.is(antminerName('Antminer S99 Hyd.'), 'S99Hyd')
  t.is(antminerName('ANTMINER BHB42XXX'), undefined)
  t.is(antminerName(''), undefined)
  t.is(antminerModel('S99Hyd'), undefined, 'unknown, not guessed')
  t.is(antminerModel('constructor'), undefined)
  t.is(antminerModel('S21 Imm.')?.cooling, 'immersion')
  t.is(antminerModel('S21 Imm.')?.chips, 108)
})

test('every row is whole and found under its own name', (t) => {
  for (const [name, model] of Object.entries(antminers)) {
    t.is(antminerModel(name), model, name)
    t.is(model.cooling === 'air', model.fans! > 0, `${name}: fans where there is air`)
    t.is(model.boards === undefined, model.chips === undefined, name)
  }
})
