import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import test, { type Assertions } from 'brittle'
import type { DeviceRecord } from '#model'
import type { Member, ServiceHealth } from '#rpc'
import { startFarm } from '#sim'
import { cli, startCli } from '../support/cli.js'
import { until } from '../support/fake-clock.js'

const timeout = 240_000
const intervalMs = 1_000
/** Of most libraries. */
const usualIntervalMs = 10_000

interface Site {
  readonly cwd: string
  get<T>(path: string): Promise<T>
  send(method: string, path: string, body?: unknown): Promise<Response>
  service(name: string): Promise<ServiceHealth | undefined>
}

/** A site whose services are processes of their own, with two simulated miners of each library. */
async function open(t: Assertions): Promise<Site> {
  const cwd = await t.tmp()
  const awake = setInterval(() => {}, 1_000)
  const farm = await startFarm({ miners: 4, mix: { M56S: 0.5, S19XP: 0.5 }, seed: 3 })
  const entries = (library: string) =>
    farm.devices
      .filter((device) => device.library === library)
      .map(({ library: _library, model: _model, machine: _machine, ...entry }) => entry)
  const document = {
    mode: 'microservices',
    runtime: 'pm2',
    services: [
      { name: 'api-gateway', port: 0 },
      {
        name: 'wm-m56s',
        lib: 'miner-whatsminer',
        deviceType: 'M56S',
        intervalMs,
        devices: entries('miner-whatsminer'),
      },
      { name: 'am-s19xp', lib: 'miner-antminer', deviceType: 'S19XP', intervalMs, devices: entries('miner-antminer') },
    ],
  }
  writeFileSync(join(cwd, 'miningsdk.config.json'), JSON.stringify(document))
  const site = startCli(['start'], { cwd, env: { MININGSDK_LOG_LEVEL: 'warn' } })
  t.teardown(async () => {
    await site.kill('SIGTERM')
    await farm.close()
    clearInterval(awake)
  })
  await site.saw(/3 processes, started and watched by this one/)
  const ask = async (path: string, init: RequestInit = {}) => {
    const { url } = JSON.parse(readFileSync(join(cwd, 'data/site.json'), 'utf8')) as { url: string }
    const token = readFileSync(join(cwd, 'data/admin.token'), 'utf8').trim()
    return fetch(new URL(path, url), {
      ...init,
      signal: AbortSignal.timeout(5_000),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    })
  }
  const get = async <T>(path: string) => {
    const reply = await ask(path)
    const text = await reply.text()
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${text}`)
    return JSON.parse(text) as T
  }
  return {
    cwd,
    get,
    send: (method, path, body) => ask(path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
    async service(name) {
      const { data } = await get<{ data?: ServiceHealth[] }>('/api/v1/services').catch(() => ({ data: [] }))
      return data?.find((one) => one.name === name)
    },
  }
}

const mining = async ({ get }: Site) => {
  const { data } = await get<{ data: DeviceRecord[] }>('/api/v1/devices').catch(() => ({ data: [] }))
  return data.filter(({ status }) => status === 'mining')
}

test("the specification's example runs as three processes that are one site", { timeout }, async (t) => {
  const site = await open(t)
  await until(async () => (await mining(site)).length === 4, 'all devices are read', 60_000)

  await t.test('each process has a key of its own, and its grant gives it no more than it needs', async (t) => {
    const { data } = await site.get<{ data: Member[] }>('/api/v1/members')
    t.alike(
      data.map(({ name, role, sites }) => ({ name, role, sites })).sort((a, b) => (a.name < b.name ? -1 : 1)),
      [
        { name: 'am-s19xp', role: 'worker', sites: ['home'] },
        { name: 'api-gateway', role: 'aggregator', sites: null },
        { name: 'wm-m56s', role: 'worker', sites: ['home'] },
      ],
    )
    t.is(new Set(data.map(({ key }) => key)).size, 3)
    const pids = await Promise.all(['api-gateway', 'wm-m56s', 'am-s19xp'].map((name) => site.service(name)))
    t.is(new Set(pids.map((service) => service?.pid)).size, 3)
  })

  await t.test('a command goes from the gateway to the process of the device, and comes back confirmed', async (t) => {
    const antminer = (await mining(site)).find(({ make }) => make === 'Bitmain')!
    const made = await site.send('POST', '/api/v1/commands', {
      command: 'setLed',
      params: { on: true },
      targets: { ids: [antminer.id] },
    })
    t.is(made.status, 202)
    const { id } = (await made.json()) as { id: string }
    const job = () => site.get<{ state: string; results: { state: string }[] }>(`/api/v1/commands/${id}`)
    await until(async () => (await job()).state === 'done', 'the command ended', 60_000)
    t.is((await job()).results[0]?.state, 'confirmed')
  })

  await t.test('a worker that is killed is missed and comes back, with its devices and history', async (t) => {
    const { pid } = (await site.service('wm-m56s'))!
    const [device] = (await mining(site)).filter(({ worker }) => worker === 'wm-m56s')
    const from = Date.now() - 60_000
    const samples = async () => {
      const path = `/api/v1/devices/${device!.id}/history?metrics=hashrateThs&step=raw&from=${from}`
      const { at } = await site.get<{ at: number[] }>(path)
      return at
    }
    const before = await samples()
    process.kill(pid!, 'SIGKILL')
    const killedAt = performance.now()
    const took = () => Math.round(performance.now() - killedAt)
    await until(async () => (await site.service('wm-m56s'))?.pid !== pid, 'missed', 10_000)
    const missedMs = took()
    await until(async () => (await site.service('wm-m56s'))?.state === 'running', 'back', 10_000)
    // The gateway may say for a moment that it cannot reach the feed yet.
    const now = () => samples().catch(() => [])
    await until(async () => (await now()).length > before.length + 1, 'new samples', 20_000)
    const backMs = took()
    t.ok(missedMs <= 3_000, `missed after ${missedMs} ms`)
    t.ok(backMs <= 5_000 + intervalMs, `back, with its history and new samples, after ${backMs} ms`)
    const after = await samples()
    t.alike(after.slice(0, before.length), before, 'nothing of before is lost')
  })

  await t.test(
    'all processes are started anew one after the other, and no device is unread for longer than one usual poll',
    async (t) => {
      const from = Date.now()
      const { code, stderr } = await cli(['restart'], { cwd: site.cwd })
      t.is(code, 0, stderr)
      await until(async () => (await mining(site)).length === 4, 'all devices are read', 30_000)
      const { data } = await site.get<{ data: DeviceRecord[] }>('/api/v1/devices')
      for (const { id } of data) {
        const path = `/api/v1/devices/${id}/history?metrics=uptimeS&step=raw&from=${from - 5_000}`
        const { at } = await site.get<{ at: number[] }>(path)
        const gaps = at.slice(1).map((time, index) => time - at[index]!)
        t.ok(Math.max(...gaps) <= usualIntervalMs, `${id}: the longest gap is ${Math.max(...gaps)} ms`)
      }
    },
  )

  await t.test('a gateway that is killed comes back and finds everything again', async (t) => {
    const { pid } = (await site.service('api-gateway'))!
    process.kill(pid!, 'SIGKILL')
    const isBack = async () => {
      const service = await site.service('api-gateway').catch(() => undefined)
      return service?.state === 'running' && service.pid !== pid
    }
    await until(isBack, 'back', 10_000)
    await until(async () => (await mining(site)).length === 4, 'all devices are there', 10_000)
    t.is((await site.service('wm-m56s'))?.state, 'running')
  })

  await t.test('a library that is added is read by a worker in the process of the gateway', async (t) => {
    const example = resolve('examples/custom-device')
    const device = createServer((_, to) => to.end(readFileSync(join(example, 'test/status.json'))))
    await once(device.listen(0, '127.0.0.1'), 'listening')
    t.teardown(() => device.close().closeAllConnections())
    const added = await cli(['library', 'add', example], { cwd: site.cwd })
    t.is(added.code, 0, added.stderr)
    await until(async () => (await site.service('miner-acme'))?.state === 'running', 'its worker runs', 20_000)
    t.is((await site.service('miner-acme'))?.pid, (await site.service('api-gateway'))?.pid)
    const { port } = device.address() as AddressInfo
    const entry = ['127.0.0.1', '--port', String(port), '--worker', 'miner-acme']
    const known = await cli(['devices', 'add', ...entry], { cwd: site.cwd })
    t.is(known.code, 0, known.stderr)
    await until(async () => (await mining(site)).some(({ model }) => model === 'AX-1'), 'its device is read', 20_000)
  })
})

test('another site joins by a code, good once; revoked it is out at once', { timeout }, async (t) => {
  const site = await open(t)
  await until(async () => (await mining(site)).length === 4, 'all devices are read', 60_000)
  const texas = join(await t.tmp(), 'texas')
  mkdirSync(texas)
  const { devices } = (
    JSON.parse(readFileSync(join(site.cwd, 'miningsdk.config.json'), 'utf8')) as {
      services: { devices?: { host: string; ports: unknown }[] }[]
    }
  ).services[1]!
  const worker = { name: 'wm-tx', lib: 'miner-whatsminer', intervalMs, devices }
  const second = { name: 'am-tx', lib: 'miner-antminer', intervalMs }
  const config = { site: 'texas', mode: 'microservices', services: [worker, second] }
  writeFileSync(join(texas, 'miningsdk.config.json'), JSON.stringify(config))

  const { stdout: code } = await cli(['invite', '--role', 'worker', '--site', 'texas'], { cwd: site.cwd })
  const startedAt = performance.now()
  const joined = await cli(['join', code.trim(), '--name', 'texas-1'], { cwd: texas })
  t.is(joined.code, 0, joined.stderr)
  t.ok(performance.now() - startedAt <= 10_000, `joined in ${Math.round(performance.now() - startedAt)} ms`)
  const again = await cli(['join', code.trim()], { cwd: await t.tmp() })
  t.is(again.code, 1)
  t.ok(again.stderr.includes('was used already'), again.stderr)

  const remote = startCli(['start'], { cwd: texas, env: { MININGSDK_LOG_LEVEL: 'warn' } })
  t.teardown(() => remote.kill('SIGTERM')) // killed outright it would leave its children writing into the folder that is removed next
  const ofTexas = async () => (await mining(site)).filter((device) => device.site === 'texas')
  await until(async () => (await ofTexas()).length === 2, 'its devices are seen', 60_000)
  const isUp = async () => (await site.service('am-tx'))?.state === 'running'
  await until(isUp, 'its other process is let in, too', 60_000)

  const revoked = await cli(['members', 'revoke', 'texas-1', '--yes', '--reason', 'sold'], { cwd: site.cwd })
  t.is(revoked.code, 0, revoked.stderr)
  const member = async () =>
    (await site.get<{ data: Member[] }>('/api/v1/members')).data.find(({ name }) => name === 'texas-1')!
  await until(async () => !(await member()).connected, 'its connection ends', 10_000)
  t.ok((await member()).revoked)
  await until(async () => (await site.service('am-tx'))?.state !== 'running', 'and so does its other process', 20_000)
  await until(async () => (await ofTexas()).length === 0, 'its devices count no longer', 30_000)
})
