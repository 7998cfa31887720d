import test from 'brittle'
import { type OneMiner, oneMiner } from './farms.js'
import { capture, differences } from './shape.js'
import { ask, authorize, http, type Json, page, parsed, say } from './talk.js'

const root = { user: 'root', password: 'root' }
const read = async (miner: OneMiner, name: string): Promise<Json> =>
  parsed(await page(miner.port('http'), root, 'GET', name))
const write = async (miner: OneMiner, name: string, body: unknown): Promise<Json> =>
  parsed(await page(miner.port('http'), root, 'POST', name, body))

/** The browser's way: what was read, under the names to write. */
function payload(conf: Json, change: object = {}) {
  return {
    'bitmain-fan-ctrl': conf['bitmain-fan-ctrl'],
    'bitmain-fan-pwm': conf['bitmain-fan-pwm'],
    'bitmain-hashrate-percent': conf['bitmain-hashrate-percent'],
    'miner-mode': Number(conf['bitmain-work-mode']),
    'freq-level': conf['bitmain-freq-level'] ?? '100',
    pools: conf.pools,
    ...change,
  }
}

test('every page wants a digest login; the right one opens, a wrong one does not', async (t) => {
  const { port } = await oneMiner(t, 'S21')
  const path = '/cgi-bin/get_system_info.cgi'
  for (const target of ['/', path, '/index.html']) {
    const { status, headers } = await http(port('http'), 'GET', target)
    t.is(status, 401)
    t.ok(String(headers['www-authenticate']).startsWith('Digest realm="antMiner Configuration"'))
  }
  t.is((await page(port('http'), root, 'GET', 'get_system_info')).status, 200)
  t.is((await page(port('http'), { ...root, password: 'wrong' }, 'GET', 'get_system_info')).status, 401)
  t.is((await page(port('http'), { ...root, user: 'admin' }, 'GET', 'get_system_info')).status, 401)
  const headers = { authorization: `Basic ${Buffer.from('root:root').toString('base64')}` }
  t.is((await http(port('http'), 'GET', path, { headers })).status, 401)
  t.is((await page(port('http'), root, 'GET', 'no_such_page')).status, 404)
})

test('a nonce may be used again until it is stale; an answer to another page opens nothing', async (t) => {
  const { port, later } = await oneMiner(t, 'S21')
  const path = '/cgi-bin/summary.cgi'
  const challenge = String((await http(port('http'), 'GET', path)).headers['www-authenticate'])
  const get = (authorization: string) => http(port('http'), 'GET', path, { headers: { authorization } })
  t.is((await get(authorize(challenge, root, 'GET', path, 1))).status, 200)
  t.is((await get(authorize(challenge, root, 'GET', path, 2))).status, 200)
  t.is((await get(authorize(challenge, root, 'GET', '/cgi-bin/stats.cgi', 3))).status, 401)
  t.is((await get(authorize(challenge, root, 'POST', path, 4))).status, 401)
  t.is(
    (await get(authorize(challenge.replace(/nonce="./, 'nonce="f'), root, 'GET', path, 5))).status,
    401,
    'not a nonce of ours',
  )
  await later(600_001)
  const old = await get(authorize(challenge, root, 'GET', path, 6))
  t.is(old.status, 401)
  t.ok(String(old.headers['www-authenticate']).includes('stale=true'))
})

test('the pages say what the model is, does and has', async (t) => {
  const miner = await oneMiner(t, 'S21')
  const stats = (await read(miner, 'stats')).STATS[0]
  t.ok(Math.abs(stats.rate_avg - 200_000) < 2000, 'GH/s')
  t.alike([stats.chain.length, stats.fan.length, stats.chain[0].asic_num], [3, 4, 108])
  const summary = (await read(miner, 'summary')).SUMMARY[0]
  t.alike(
    summary.status.map((each: Json) => each.status),
    ['s', 's', 's', 's'],
  )
  t.is((await read(miner, 'pools')).POOLS.length, 3)
  t.is((await read(miner, 'miner_type')).subtype, 'AMLCtrl_BHB68XXX')
  t.is((await read(miner, 'get_system_info')).minertype, 'Antminer S21')
  t.is((await read(miner, 'get_network_info')).conf_nettype, 'DHCP')
  t.alike(await read(miner, 'get_blink_status'), { blink: false })
  const old = await oneMiner(t, 'S19 Pro')
  t.is((await page(old.port('http'), root, 'GET', 'miner_type')).status, 404, 'older builds have no such page')
})

test('pages and RPC have every key of the captures, in the same types', async (t) => {
  const s19 = await oneMiner(t, 'S19 Pro')
  const s21 = await oneMiner(t, 'S21 Pro+')
  const rpc = (miner: OneMiner, command: string, more = {}) => ask(miner.port('rpc'), { command, ...more })
  for (const command of ['version', 'summary', 'pools', 'devs'])
    t.alike(differences(capture(`antminer-stock/s19pro_v2020/${command}.json`), await rpc(s19, command)), [], command)
  const [head, body] = (capture('antminer-stock/s19pro_v2020/stats.json') as Json).STATS
  const mine = (await rpc(s19, 'stats')).STATS
  t.alike([...differences(head, mine[0]), ...differences(body, mine[1])], [], 'stats')
  const newStats = await rpc(s21, 'stats', { new_api: true })
  t.alike(differences(capture('antminer-stock/s21proplus/rpc_stats_new_api.json'), newStats), [], 'stats of new_api')
  t.alike(differences(capture('antminer-stock/s19pro_v2020/system_info.json'), await read(s21, 'get_system_info')), [])
  const fleet = 'antminer-stock/s19_fleet'
  t.alike(differences(capture(`${fleet}/web_get_miner_conf.json`), await read(s19, 'get_miner_conf')), [])
})

test('the RPC reads, also in the new form, ends with a NUL, and neither joins nor writes', async (t) => {
  const { port } = await oneMiner(t, 'S21')
  const { text } = await say(port('rpc'), '{"command":"version"}')
  t.ok(text.endsWith('\0'))
  t.is(JSON.parse(text.slice(0, -1)).VERSION[0].Type, 'Antminer S21')
  const stats = await ask(port('rpc'), { command: 'stats', new_api: true })
  t.alike([stats.STATUS.api_version, stats.STATS[0].chain.length], ['1.0.0', 3])
  const code = async (request: object) => (await ask(port('rpc'), request)).STATUS[0].Code
  t.is(await code({ command: 'summary+pools' }), 14)
  t.is(await code({ command: 'devdetails' }), 14)
  t.is(await code({ command: 'restart' }), 45)
  t.is(await code({ cmd: 'summary' }), 24, 'it knows only "command"')
  t.is(JSON.parse((await say(port('rpc'), 'summary')).text.slice(0, -1)).STATUS[0].Code, 23)
})

test('a configuration is read under one set of names and written under another', async (t) => {
  const miner = await oneMiner(t, 'S19 Pro')
  const conf = await read(miner, 'get_miner_conf')
  t.alike([conf['bitmain-work-mode'], conf.pools.length], ['0', 3])
  const pools = [
    { url: 'stratum+tcp://new.example:3333', user: 'me.1', pass: 'p' },
    ...Array(2).fill({ url: '', user: '', pass: '' }),
  ]
  const reply = await write(
    miner,
    'set_miner_conf',
    payload(conf, { 'miner-mode': 3, pools, 'bitmain-fan-ctrl': true, 'bitmain-fan-pwm': '70' }),
  )
  t.alike(reply, { stats: 'success', code: 'M000', msg: 'OK!' })
  const after = await read(miner, 'get_miner_conf')
  t.alike([after['bitmain-work-mode'], after['bitmain-fan-ctrl'], after['bitmain-fan-pwm']], ['3', true, '70'])
  t.alike(after.pools, pools)
  t.is((await say(miner.port('rpc'), '{"command":"version"}')).ending, 'reset', 'the mining process restarts')
  await miner.later(600_000)
  const stats = (await read(miner, 'stats')).STATS[0]
  t.ok(stats.rate_avg < 95_000 && stats.elapsed <= 600, 'less hashrate, counted anew')
  const list = await ask(miner.port('rpc'), { command: 'pools' })
  t.alike(
    list.POOLS.map((pool: Json) => pool.Status),
    ['Alive', 'Deed', 'Deed'],
  )
})

test('newer builds take a part of a configuration, and have fewer keys', async (t) => {
  const miner = await oneMiner(t, 'S21 XP Hyd.')
  const before = await read(miner, 'get_miner_conf')
  t.alike(Object.keys(before).sort(), [
    'bitmain-fan-ctrl',
    'bitmain-fan-pwm',
    'bitmain-hashrate-percent',
    'bitmain-user-ip-cat',
    'bitmain-work-mode',
    'pools',
  ])
  t.is(before['bitmain-work-mode'], 0, 'a number here')
  t.is((await write(miner, 'set_miner_conf', { 'miner-mode': '1', 'bitmain-work-mode': '1' })).code, 'M000')
  const after = await read(miner, 'get_miner_conf')
  t.alike([after['bitmain-work-mode'], after.pools], [1, before.pools])
})

test('asleep its lists are empty, awake it comes back', async (t) => {
  const miner = await oneMiner(t, 'S21')
  await write(miner, 'set_miner_conf', { 'miner-mode': 1 })
  await miner.later(60_000)
  t.alike((await read(miner, 'summary')).SUMMARY, [])
  t.alike((await read(miner, 'stats')).STATS, [])
  t.is((await ask(miner.port('rpc'), { command: 'summary' })).SUMMARY[0]['GHS 5s'], 0)
  await write(miner, 'set_miner_conf', { 'miner-mode': 0 })
  await miner.later(600_000)
  t.ok((await read(miner, 'stats')).STATS[0].rate_5s > 170_000)
})

test('a configuration that is not whole is refused and changes nothing', async (t) => {
  const miner = await oneMiner(t, 'S19 Pro')
  const conf = await read(miner, 'get_miner_conf')
  const bad = [
    { pools: conf.pools },
    payload(conf, { pools: [] }),
    payload(conf, { pools: conf.pools.slice(0, 2) }),
    payload(conf, { pools: [{ url: '', user: '', pass: '' }, ...conf.pools.slice(1)] }),
    payload(conf, { 'miner-mode': 7 }),
    payload(conf, { 'freq-level': 'fast' }),
  ]
  for (const body of bad) t.is((await write(miner, 'set_miner_conf', body)).code, 'M001')
  t.is(parsed(await page(miner.port('http'), root, 'GET', 'set_miner_conf')).code, 'M001', 'a GET writes nothing')
  t.alike(await read(miner, 'get_miner_conf'), conf)
})

test('LED, network and password', async (t) => {
  const miner = await oneMiner(t, 'S21')
  t.is((await write(miner, 'blink', { blink: true })).code, 'B000')
  t.is((await read(miner, 'get_blink_status')).blink, true)
  t.is((await write(miner, 'blink', { blink: 'false' })).code, 'B100')
  const network = {
    ipHost: 'row-c',
    ipPro: 2,
    ipAddress: '10.0.0.9',
    ipSub: '255.255.255.0',
    ipGateway: '10.0.0.1',
    ipDns: '10.0.0.1,1.1.1.1',
  }
  t.is((await write(miner, 'set_network_conf', { ...network, ipAddress: '' })).code, 'N001')
  t.is((await write(miner, 'set_network_conf', network)).code, 'N000')
  const info = await read(miner, 'get_network_info')
  t.alike([info.conf_hostname, info.conf_nettype, info.conf_gateway], ['row-c', 'Static', '10.0.0.1'])
  t.is((await read(miner, 'get_system_info')).hostname, 'row-c')
  t.is((await write(miner, 'passwd', { curPwd: 'no', newPwd: 'a', confirmPwd: 'a' })).code, 'P001')
  t.is((await write(miner, 'passwd', { curPwd: 'root', newPwd: 'a', confirmPwd: 'b' })).code, 'P002')
  t.is((await write(miner, 'passwd', { curPwd: 'root', newPwd: 'new', confirmPwd: 'new' })).code, 'P000')
  t.is((await page(miner.port('http'), root, 'GET', 'summary')).status, 401)
  t.is((await page(miner.port('http'), { ...root, password: 'new' }, 'GET', 'summary')).status, 200)
})

test('a reboot cuts every connection and starts the time anew; refused writes refuse it', async (t) => {
  const miner = await oneMiner(t, 'S21')
  await miner.farm.setFault(0, { kind: 'refusedWrite' })
  t.is((await read(miner, 'reboot')).code, 'M001')
  t.is((await write(miner, 'blink', { blink: true })).code, 'B001')
  await miner.farm.clearFault(0)
  await t.exception(page(miner.port('http'), root, 'GET', 'reboot'))
  t.is((await say(miner.port('http'), 'GET / HTTP/1.1\r\n\r\n')).ending, 'reset')
  await miner.later(90_000)
  t.ok((await read(miner, 'stats')).STATS[0].elapsed <= 90)
})

test('firmware has to be a whole image in a multipart body', async (t) => {
  const miner = await oneMiner(t, 'S21')
  const upload = async (field: string, image: Buffer, ending = '\r\n--edge--\r\n') => {
    const path = '/cgi-bin/upgrade.cgi'
    const challenge = String((await http(miner.port('http'), 'GET', path)).headers['www-authenticate'])
    const headers = {
      authorization: authorize(challenge, root, 'POST', path),
      'content-type': 'multipart/form-data; boundary=edge',
    }
    const head = `--edge\r\nContent-Disposition: form-data; name="${field}"; filename="a.bmu"\r\n\r\n`
    return parsed(
      await http(miner.port('http'), 'POST', path, {
        headers,
        body: Buffer.concat([Buffer.from(head), image, Buffer.from(ending)]),
      }),
    )
  }
  const image = Buffer.alloc(200_000, 0xab)
  t.is((await upload('firmware', Buffer.from('no image'))).code, 'U001')
  t.is((await upload('other', image)).code, 'U001')
  t.is((await upload('firmware', image, '')).code, 'U001', 'half an upload')
  const before = (await read(miner, 'get_system_info')).system_filesystem_version
  t.is((await upload('firmware', image)).code, 'U000')
  await miner.later(60_000)
  t.not((await read(miner, 'get_system_info')).system_filesystem_version, before)
})

test('the engineering port tells power and warnings, where the model has it', async (t) => {
  const miner = await oneMiner(t, 'S21')
  const get = async (path: string) => (await http(miner.port('engineering'), 'GET', path)).body.toString()
  const [, watts] = /^miner power:(\d+)$/.exec(await get('/miner_power')) ?? []
  t.ok(Number(watts) > 3300 && Number(watts) < 3700)
  t.alike(JSON.parse(await get('/warning')), { error_message: 'None' })
  t.is(await get('/other'), 'error 6060 cmd')
  await miner.farm.setFault(0, { kind: 'boardLost', slot: 2 })
  t.alike(JSON.parse(await get('/warning')), { error_message: 'J0:8' })
  t.alike(
    (await read(miner, 'stats')).STATS[0].chain.map((each: Json) => each.index),
    [0, 1],
  )
  t.is((await read(miner, 'summary')).SUMMARY[0].status[0].status, 'e')
  const xp = await oneMiner(t, 'S19 XP')
  t.absent(xp.device.ports!.engineering)
})

test('the log is text, under the name of its generation', async (t) => {
  const s21 = await oneMiner(t, 'S21')
  t.ok((await page(s21.port('http'), root, 'GET', 'log')).body.toString().includes('log line'))
  t.is((await page(s21.port('http'), root, 'GET', 'get_kernel_log')).status, 404)
  const s19 = await oneMiner(t, 'S19 Pro')
  t.is((await page(s19.port('http'), root, 'GET', 'log')).status, 404)
  t.is((await page(s19.port('http'), root, 'GET', 'get_kernel_log')).status, 200)
})
