import { readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test from 'brittle'
import type { DeviceRecord } from '#model'
import { cli, startCli } from '../support/cli.js'

/** One demo site serves all that follows: it is what a newcomer has a minute after the install. */
test('a fresh folder becomes a demo site, and every command works on it', { timeout: 220_000 }, async (t) => {
  const cwd = await t.tmp()
  const site = startCli(['start'], { cwd, env: { MININGSDK_LOG_LEVEL: 'warn' } })
  t.teardown(() => site.kill())
  const [, link] = await site.saw(/Sign in once\s+(\S+)/)
  await site.saw(/DEMO of simulated devices/)
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await cli([...args, '--json'], { cwd })
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`)
    return JSON.parse(stdout) as T
  }

  await t.test('it writes only below ./data, and the token is for the owner alone', async (t) => {
    t.is(statSync(join(cwd, 'data/admin.token')).mode & 0o777, 0o600)
    t.is(statSync(join(cwd, 'data/site.json')).mode & 0o777, 0o600)
    t.absent(readFileSync(join(cwd, 'data/site.json'), 'utf8').includes('msdk_'), 'no secret in it')
  })

  await t.test('the printed link signs in once, and only once', async (t) => {
    const { origin, hash } = new URL(link!)
    const signIn = () =>
      fetch(`${origin}/api/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin },
        body: JSON.stringify({ code: hash.slice('#code='.length) }),
      })
    const first = await signIn()
    t.ok(first.ok, `first: ${first.status}`)
    t.is((await signIn()).status, 401)
  })

  const devices = await settled(() => json<DeviceRecord[]>('devices', 'ls'))
  await t.test('miners of the big brands and plant are read, and said to be simulated', async (t) => {
    t.ok(devices.length >= 20, `${devices.length} devices`)
    t.ok(devices.every((device) => device.simulated))
    const workers = new Set(devices.filter(({ at }) => at !== null).map(({ worker }) => worker))
    for (const brand of ['whatsminer', 'antminer', 'avalon', 'braiins', 'bitaxe']) t.ok(workers.has(brand), brand)
    t.alike([...new Set(devices.map(({ kind }) => kind))].sort(), ['container', 'miner', 'powermeter', 'sensor'])
    const text = await cli(['devices', 'ls'], { cwd })
    t.is(text.stdout.trim().split('\n').length, devices.length + 1, 'piped it is TSV: a line a device')
    t.ok(text.stdout.split('\n')[0]!.includes('\t'))
  })

  const one = devices.find((device) => device.status === 'mining' && device.capabilities.includes('setLed'))!
  await t.test('one device in full, its history, and the site at a glance', async (t) => {
    t.is((await json<DeviceRecord>('devices', 'show', one.id)).id, one.id)
    const history = await json<{ at: number[]; series: Record<string, (number | null)[]> }>(
      'history',
      one.id,
      '--metrics',
      'hashrateThs',
      '--from',
      '-10m',
      '--step',
      'raw',
    )
    t.ok(history.at.length > 0)
    t.is(history.series.hashrateThs?.length, history.at.length)
    const status = await cli(['status'], { cwd })
    t.ok(status.stdout.includes('simulated'))
    t.is(JSON.parse((await cli(['watch', '--count', '1', '--json'], { cwd })).stdout).devices.length, devices.length)
  })

  await t.test('events of all and of one device, and who did what: as tables, as JSON, and as they come', async (t) => {
    const all = await json<{ at: number; deviceId?: string; message: string }[]>('events', '--limit', '5')
    t.is(all.length, 5)
    t.alike(
      all.map(({ at }) => at),
      all.map(({ at }) => at).sort((a, b) => b - a),
      'newest first',
    )
    const ofOne = await json<typeof all>('events', one.id)
    t.ok(ofOne.length > 0 && ofOne.every(({ deviceId }) => deviceId === one.id))
    const table = await cli(['events', '--limit', '5'], { cwd })
    t.ok(/^time\ttype\tdevice\twhat happened\n/.test(table.stdout), table.stdout)
    const none = await cli(['events', '--to', '2001-01-01T00:00:00Z'], { cwd })
    t.alike([none.code, none.stdout], [0, ''])
    t.ok(none.stderr.includes('Nothing'), none.stderr)
    t.alike(await json('events', '--to', '2001-01-01T00:00:00Z'), [])
    t.is((await cli(['events', '--limit', 'many'], { cwd })).code, 2)
    t.is((await cli(['events', 'no-such-device', '--from', 'yesterday'], { cwd })).code, 2)

    const following = startCli(['events', '--follow', '--limit', '1', '--json'], { cwd })
    t.teardown(() => following.kill())
    await following.saw(/"message"/)
    const { added } = await json<{ added: string[] }>(
      'devices',
      'add',
      '127.0.0.1',
      '--port',
      '8',
      '--worker',
      one.worker,
    )
    await following.saw(new RegExp(`"deviceId":"${added[0]}"`))
    t.is((await cli(['devices', 'rm', added[0]!, '--yes'], { cwd })).code, 0)
    following.child.kill('SIGINT')
    const { code, stdout } = await following.ended
    t.is(code, 0, 'ended by the person')
    const lines = stdout.trim().split('\n')
    t.is(new Set(lines).size, lines.length, 'each is told once')

    type Row = { source: string; by: string; action: string; targets: string[] }
    const rows = await json<Row[]>('audit', '--source', 'gateway', '--limit', '10')
    t.ok(rows.some(({ targets, by }) => targets.includes(added[0]!) && by !== 'nobody'))
    t.ok((await cli(['audit'], { cwd })).stdout.includes(added[0]!))
    const nobody = await cli(['audit', '--by', 'token:none'], { cwd })
    t.alike([nobody.code, nobody.stdout], [0, ''])
    t.ok(nobody.stderr.includes('Nothing'), nobody.stderr)
    const { token } = await json<{ token: string }>('token', 'create', '--scope', 'read', '--name', 'reader')
    const refused = await cli(['audit'], { cwd, env: { MININGSDK_TOKEN: token } })
    t.is(refused.code, 5, 'the audit is for admins')
  })

  await t.test(
    'a container shows its sockets and cooling, a sensor its readings; the meter measures the site',
    async (t) => {
      const shown = async (kind: DeviceRecord['kind']) => {
        const { id } = devices.find((device) => device.kind === kind)!
        return (await cli(['devices', 'show', id], { cwd })).stdout
      }
      const container = await shown('container')
      t.ok(/Sockets[\s\S]*20\/20[\s\S]*o{20}/.test(container), container)
      t.ok(/Cooling[\s\S]*pump/.test(container))
      t.absent(/hashrate/.test(container), 'it is no miner')
      t.ok(/Readings[\s\S]*supply pipe: \d+\.\d °C/.test(await shown('sensor')))
      t.ok(/Power of the site.*kW/.test(await shown('powermeter')))
    },
  )

  await t.test('a command is checked by a dry run, confirmed by read-back, and refused with the reason', async (t) => {
    const dry = await cli(['command', 'setLed', '--id', one.id, '-p', 'on=true', '--dry-run', '--json'], { cwd })
    t.is(dry.code, 0, dry.stderr)
    const done = await cli(['command', 'setLed', '--id', one.id, '-p', 'on=true', '--json'], { cwd })
    t.is(done.code, 0, done.stderr)
    t.is((JSON.parse(done.stdout) as { state: string }[])[0]?.state, 'confirmed')
    const unasked = await cli(['command', 'reboot', '--id', one.id], { cwd })
    t.is(unasked.code, 2, 'nobody could be asked')
    t.ok(unasked.stderr.includes('--yes'))
    const wrong = await cli(['command', 'setLed', '--id', one.id, '-p', 'on=maybe'], { cwd })
    t.not(wrong.code, 0)
  })

  await t.test('tokens are made, shown once, limited and revoked', async (t) => {
    const { token } = await json<{ token: string }>('token', 'create', '--scope', 'read', '--name', 'test')
    const { url } = JSON.parse(readFileSync(join(cwd, 'data/site.json'), 'utf8')) as { url: string }
    const as = { cwd: '/', env: { MININGSDK_TOKEN: token } }
    t.is((await cli(['devices', 'ls', '--url', url], as)).code, 0)
    t.is((await cli(['devices', 'rm', one.id, '--yes', '--url', url], as)).code, 5)
    const listed = await json<{ id: string; name: string }[]>('token', 'ls')
    const made = listed.find((each) => each.name === 'test')!
    await json('token', 'rm', made.id)
    t.is((await cli(['devices', 'ls', '--url', url], as)).code, 5)
  })

  await t.test('a device is added, named by its password over stdin, and forgotten again', async (t) => {
    const { added } = await json<{ added: string[] }>(
      'devices',
      'add',
      '127.0.0.1',
      '--port',
      '9',
      '--worker',
      one.worker,
      '--name',
      'spare',
    )
    t.is(added.length, 1)
    const set = await cli(['secret', 'set', added[0]!], { cwd, stdin: 'hunter2\n' })
    t.is(set.code, 0, set.stderr)
    const shown = await cli(['devices', 'show', added[0]!, '--json'], { cwd })
    t.absent(shown.stdout.includes('hunter2'), 'no call gives the password back')
    t.is((await cli(['devices', 'rm', added[0]!, '--yes'], { cwd })).code, 0)
    t.is((await cli(['devices', 'show', added[0]!], { cwd })).code, 1)
  })

  await t.test('doctor finds the site in order', async (t) => {
    const { code, stdout } = await cli(['doctor', '--json'], { cwd })
    const broken = (JSON.parse(stdout) as { state: string; finding: string }[]).filter((row) => row.state === 'broken')
    t.alike(broken, [])
    t.is(code, 0)
  })

  await t.test('a second site in the same folder is refused with the reason', async (t) => {
    const second = await cli(['start'], { cwd })
    t.is(second.code, 1)
    t.ok(second.stderr.includes('STORE_LOCKED'), second.stderr)
  })

  await t.test('it closes in order at the first signal', async (t) => {
    site.child.kill('SIGTERM')
    const { code } = await site.ended
    t.is(code, 0)
    t.is((await cli(['status'], { cwd })).code, 4)
  })
})

test('where the default port is taken the demo takes the next free one and says so', { timeout: 60_000 }, async (t) => {
  const cwd = await t.tmp()
  const blocker = createServer()
  const mine = await new Promise<boolean>((done) => {
    blocker.once('error', () => done(false))
    blocker.listen(3000, '127.0.0.1', () => done(true))
  })
  t.teardown(() => mine && blocker.close())
  const site = startCli(['start'], { cwd, env: { MININGSDK_LOG_LEVEL: 'error' } })
  t.teardown(() => site.kill())
  const [, port] = await site.saw(/Dashboard\s+http:\/\/127\.0\.0\.1:(\d+) \(port 3000 was taken\)/)
  t.not(port, '3000')
  site.child.kill('SIGINT')
  t.is((await site.ended).code, 0)
})

/** Until every device was read once. */
async function settled(list: () => Promise<DeviceRecord[]>): Promise<DeviceRecord[]> {
  for (let look = 0; look < 60; look++) {
    const devices = await list()
    if (devices.length > 0 && devices.every(({ at, status }) => at !== null || status === 'offline')) return devices
  }
  return list()
}
