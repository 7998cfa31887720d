import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'brittle'
import { type SdkError, silentLog, Type } from '#model'
import { createNode, defineService, type Placement } from '#node'
import { openNode, place } from './nodes.js'

const worker = defineService({
  kind: 'worker',
  config: Type.Object(
    { lib: Type.String(), intervalMs: Type.Integer({ default: 10_000, minimum: 1 }) },
    { additionalProperties: false },
  ),
  start() {},
})

async function refusal(services: readonly Placement[], storage: string, site = 'north'): Promise<SdkError> {
  try {
    const node = await createNode({ site, storage, services, log: silentLog })
    await node.close()
  } catch (error) {
    return error as SdkError
  }
  throw new Error('it must be refused')
}

test('a service gets its configuration checked, with its defaults', async (t) => {
  let seen: unknown
  const start: (typeof worker)['start'] = ({ config }) => {
    seen = config
  }
  const { node } = await openNode(t, [{ name: 'w', service: { ...worker, start }, config: { lib: 'miner-x' } }])
  await node.ready()
  t.alike(seen, { lib: 'miner-x', intervalMs: 10_000 })
})

test('what a service cannot take is refused before anything starts', async (t) => {
  const storage = await t.tmp()
  const cases: [string, Placement[]][] = [
    ['/lib', [{ name: 'w', service: worker, config: {} }]],
    ['/intervalMs', [{ name: 'w', service: worker, config: { lib: 'x', intervalMs: 'soon' } }]],
    ['must be object', [{ name: 'w', service: worker, config: null }]],
    ['service name', [{ name: '../etc', service: worker, config: { lib: 'x' } }]],
    ['service name', [{ name: '', service: worker, config: { lib: 'x' } }]],
    ['two services are named w', ['w', 'w'].map((name) => ({ name, service: worker, config: { lib: 'x' } }))],
  ]
  for (const [part, services] of cases) {
    const error = await refusal(services, storage)
    t.is(error.code, 'CONFIG_INVALID')
    t.ok(error.message.includes(part), error.message)
  }
  t.is((await refusal([], storage, 'a site/..')).code, 'CONFIG_INVALID')
})

test('each service has a folder of its own, for its owner only', { skip: process.platform === 'win32' }, async (t) => {
  const folders: string[] = []
  const { node, storage } = await openNode(t, [
    place('one', ({ storage, nodeStorage }) => void folders.push(storage, nodeStorage)),
  ])
  await node.ready()
  t.alike(folders, [join(storage, 'one'), storage])
  t.is((await stat(folders[0]!)).mode & 0o777, 0o700)
})

test('what a service is given lasts as long as its run, no longer', async (t) => {
  let context: Parameters<Parameters<typeof place>[1]>[0] | undefined
  const { node } = await openNode(t, [
    place('one', (given) => {
      context = given
    }),
  ])
  await node.ready()
  await node.close()
  t.ok(context?.signal.aborted)
  try {
    context?.use({ close() {} })
    t.fail('it must throw')
  } catch (error) {
    t.is((error as SdkError).code, 'UNAVAILABLE')
  }
})

test('twenty nodes after each other leave no listener on the process', async (t) => {
  const names = ['uncaughtException', 'unhandledRejection', 'SIGINT', 'SIGTERM', 'exit']
  const before = names.map((name) => process.listenerCount(name))
  for (let round = 0; round < 20; round++) {
    const node = await createNode({
      site: 'north',
      storage: await t.tmp(),
      services: [place('one', () => {})],
      log: silentLog,
    })
    await node.ready()
    await node.close()
  }
  t.alike(
    names.map((name) => process.listenerCount(name)),
    before,
  )
})
