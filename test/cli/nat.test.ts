import { isDeepStrictEqual } from 'node:util'
import test from 'brittle'
import type { DeviceRecord } from '#model'
import type { FeedAge, Series } from '#replication'
import type { CommandJob, CommandRequest, Peer } from '#rpc'
import { openLab, whyNoLab } from '../node/network/nat-lab.js'
import { until } from '../support/fake-clock.js'
import { type Place, placeIn } from './nat-sites.js'

type ServiceRow = { kind: string; state: string }

const intervalMs = 1_000
const miners = 3
/** How long the line of a site is cut, at least. */
const awayMs = 20_000
const dhtPort = 49_737

const skip = whyNoLab()
if (skip !== undefined) console.log(`# whole nodes across NATs are skipped: ${skip}`)

const devicesOf = async (place: Place) => (await place.ask<{ data: DeviceRecord[] }>('/api/v1/devices'))?.data ?? []
const allAre = async (place: Place, status: string) => {
  const devices = await devicesOf(place)
  return devices.length === miners && devices.every((device) => device.status === status)
}
/** What a place knows of the hashrate of a device in a span, each sample by its time. */
async function history(place: Place, id: string, from: number, to: number): Promise<[at: number, value: number][]> {
  const path = `/api/v1/devices/${id}/history?metrics=hashrateThs&step=raw&from=${from}&to=${to}`
  const found = await place.ask<Series>(path)
  if (!found || found.missing) return []
  return found.at.flatMap((at, index) => {
    const value = found.series.hashrateThs?.[index]
    return value == null ? [] : [[at, value] as [number, number]]
  })
}
/** How it is connected with the others, by their names. */
async function waysOf(place: Place): Promise<Record<string, string>> {
  const peers = (await place.ask<{ peers: Peer[] }>('/api/v1/mesh'))?.peers ?? []
  return Object.fromEntries(peers.map(({ name, relayed }) => [name, relayed ? 'relayed' : 'direct']))
}

test('whole nodes behind different NATs: seen live and commanded, and after a cut and new addresses nothing is missing', {
  timeout: 180_000,
  skip: skip !== undefined,
}, async (t) => {
  const awake = setInterval(() => {}, 1_000)
  t.teardown(() => clearInterval(awake))
  const lab = openLab()
  t.teardown(() => lab.close(), { order: 10 })
  const line = {
    farm: lab.site('farm', ['endpoint-independent', 'endpoint-independent']),
    hub: lab.site('hub', ['random']),
    wall: lab.site('wall', ['random']),
  }
  const addresses = lab.addresses.slice(1)
  const dht = await placeIn(t, lab.middle, {
    site: 'middle',
    services: addresses.map((host, index) => ({
      name: `dht${index}`,
      role: 'dht',
      host,
      nodes: 2,
      others: addresses.filter((other) => other !== host).map((other) => `${other}:${dhtPort}`),
    })),
  })
  const hub = await placeIn(t, line.hub.namespace, { site: 'hub', services: [{ name: 'gateway', port: 0 }] })
  const farm = await placeIn(t, line.farm.namespace, {
    site: 'texas',
    services: [
      { name: 'gateway', port: 0 },
      {
        name: 'wm',
        lib: 'miner-whatsminer',
        intervalMs,
        devices: Array.from({ length: miners }, (_, index) => ({
          host: `127.1.0.${index + 1}`,
          username: 'admin',
          password: 'simulate',
        })),
      },
    ],
  })
  const wall = await placeIn(t, line.wall.namespace)
  const relay = await placeIn(t, lab.open('relay'), {
    site: 'middle',
    network: { relay: true },
    services: [],
  })

  const simulated = farm.start('simulate', '--miners', String(miners), '--mix', 'M56S:1', '--address', '127.1.0.1')
  await dht.start('start').saw(/site middle runs/)
  const network = addresses.map((address) => `${address}:${dhtPort}`).join(',')
  await hub.run('fleet', 'create', '--name', 'acme', '--network', network)
  await Promise.all([hub.start('start').saw(/Sign in once/), simulated.saw(/devices are running/)])
  const startedAt = Date.now()
  const began = performance.now()
  const lap = (what: string) => t.comment(`${what} after ${Math.round(performance.now() - began)} ms`)
  await relay.run('join', await hub.run('invite', '--site', 'middle'), '--name', 'relay')
  await relay.start('start').saw(/site middle runs/)
  await until(async () => (await waysOf(hub)).relay === 'direct', 'the relay is there', 40_000, 100)
  lap('the relay is there')
  await farm.run('join', await hub.run('invite', '--site', 'texas'), '--name', 'farm')
  lap('the worker has joined')
  await wall.run('join', await hub.run('invite', '--role', 'monitor'), '--name', 'wall')
  lap('the monitor has joined, through the relay: between NATs of random ports no hole can be punched,')
  await Promise.all([
    farm.start('start').saw(/Sign in once/),
    wall.start('monitor', '--keep', '7d', '--port', '0').saw(/Sign in once/),
  ])
  for (const place of [farm, hub, wall]) {
    await until(() => allAre(place, 'mining'), 'all devices are seen live', 60_000, 100)
    lap('they are seen live')
  }

  await until(async () => (await waysOf(hub)).wall === 'relayed', 'hub and monitor meet over the relay', 20_000, 100)
  t.ok(/\d+ relayed/.test(await hub.run('status')), 'and the status says so')
  t.ok(/\swall\s.*\srelayed\s/.test(await hub.run('members', 'ls')), 'the list of members, too')
  const { data: running } = (await wall.ask<{ data: ServiceRow[] }>('/api/v1/services'))!
  t.is(running.find(({ kind }) => kind === 'aggregator')?.state, 'running', 'the hub answers the monitor over it')

  const id = (await devicesOf(hub))[0]!.id
  const led = async (place: Place, on: boolean) => {
    const request = { command: 'setLed', params: { on }, targets: { ids: [id] } } satisfies CommandRequest
    const job = await place.ask<CommandJob>('/api/v1/commands', request)
    const now = () => place.ask<CommandJob>(`/api/v1/commands/${job?.id}`)
    await until(async () => (await now())?.state === 'done', 'the command has ended', 20_000, 50)
    return (await now())!.results.map(({ state }) => state)
  }
  t.alike(await led(hub, true), ['confirmed'], 'a command over the mesh reaches the device')
  const seenAt = Date.now()
  const before = await history(farm, id, startedAt, seenAt)
  await until(
    async () => isDeepStrictEqual(await history(wall, id, startedAt, seenAt), before),
    'the monitor has it all',
    20_000,
    100,
  )
  t.ok(before.length >= 2, 'the monitor has the same history as the site')

  const cutAt = Date.now()
  line.farm.cut()
  const feedOf = async (place: Place) =>
    (await place.ask<{ data: FeedAge[] }>('/api/v1/feeds'))?.data.find(({ worker }) => worker === 'wm')
  for (const place of [hub, wall]) {
    await until(() => allAre(place, 'stale'), 'its devices are shown as away', 40_000, 100)
    await until(async () => (await feedOf(place))!.ageMs! >= awayMs, 'and since when', 40_000, 100)
  }
  t.ok(await allAre(farm, 'mining'), 'the site itself goes on')
  t.alike(await led(farm, false), ['confirmed'], 'and commands its devices')
  line.farm.move('5.5.5.99', 77)
  line.farm.mend()
  const mendedAt = Date.now()
  lap('the line is mended, with new addresses,')
  for (const place of [hub, wall]) {
    await until(() => allAre(place, 'mining'), 'the site is back by itself', 60_000, 100)
    lap('it is back')
  }
  const own = await history(farm, id, cutAt, mendedAt)
  t.ok(own.length >= awayMs / intervalMs / 2, `${own.length} samples of the time away`)
  const pauses = own.slice(1).map(([at], index) => at - own[index]![0])
  t.ok(Math.max(...pauses) < 5 * intervalMs, `with no pause longer than ${Math.max(...pauses)} ms`)
  for (const place of [hub, wall]) {
    await until(
      async () => isDeepStrictEqual(await history(place, id, cutAt, mendedAt), own),
      'the time away is there',
      30_000,
      100,
    )
    lap('all of the time away is there')
  }
  t.alike(await led(hub, true), ['confirmed'], 'and is commanded again')
})
