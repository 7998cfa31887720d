import test from 'brittle'
import { type SdkError, Type } from '#model'
import type { Directory } from '#node'
import type { Reader } from '#replication'
import { action, type Caller, contract, nodeContract, query, serve } from '#rpc'
import { ever, healthOf, limits, openNode, place } from './nodes.js'

const clerk = contract('clerk', {
  who: query({ input: Type.Object({}), output: Type.String() }),
  file: action({ input: Type.Object({}), output: Type.Null(), needs: 'admin' }),
  wait: query({ input: Type.Object({}), output: Type.Null() }),
})

const clerkService = (name: string) =>
  place(
    name,
    ({ provide }) =>
      provide(
        clerk,
        serve(clerk, { who: (_, { caller }) => `${name} for ${caller.id}`, file: () => null, wait: ever }),
      ),
    {
      kind: 'clerk',
    },
  )

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'no error'
  } catch (error) {
    return (error as SdkError).code
  }
}

test('services find each other by contract, and call in their own name', async (t) => {
  const told: string[] = []
  const { node } = await openNode(t, [
    clerkService('b-clerk'),
    clerkService('a-clerk'),
    place(
      'page',
      async ({ directory }) => {
        for (const { client, service, site } of directory.find(clerk))
          told.push(`${service} at ${site}: ${await client.who({})}`)
      },
      { after: ['clerk'] },
    ),
  ])
  await node.ready()
  t.alike(told, ['a-clerk at north: a-clerk for local:page', 'b-clerk at north: b-clerk for local:page'])
})

test('whoever runs the process calls as operator, or as the caller it names; one or any of the services', async (t) => {
  const { node } = await openNode(t, [clerkService('a-clerk'), clerkService('b-clerk')])
  await node.ready()
  t.is(await node.connect(clerk).who({}), 'a-clerk for local:operator')
  t.is(await node.connect(clerk, { service: 'b-clerk' }).who({}), 'b-clerk for local:operator')
  const caller: Caller = { id: 'token:7', scope: 'control' }
  t.is(await node.connect(clerk, { caller }).who({}), 'a-clerk for token:7')
  t.is(await codeOf(node.connect(clerk, { caller }).file({})), 'FORBIDDEN')
  t.is(
    await codeOf(node.connect(clerk, { caller: { ...caller, sites: ['south'] } }).who({})),
    'FORBIDDEN',
    'of another site',
  )
  t.is(await codeOf(node.connect(clerk).file({}, { caller })), 'FORBIDDEN', 'named with the call')
  for (const service of ['c-clerk', undefined]) {
    try {
      node.connect(service ? clerk : contract('nobody', {}), service ? { service } : {})
      t.fail('it must throw')
    } catch (error) {
      t.is((error as SdkError).code, 'UNAVAILABLE')
    }
  }
})

test('a client outlives a restart of the service it talks to', async (t) => {
  const { node } = await openNode(t, [clerkService('clerk')])
  await node.ready()
  const client = node.connect(clerk)
  await node.restart('clerk')
  t.is(await client.who({}), 'clerk for local:operator')
  await node.close()
  t.is(await codeOf(client.who({})), 'UNAVAILABLE')
})

test('calls that are open when a service ends are answered UNAVAILABLE at once', async (t) => {
  const { node } = await openNode(t, [clerkService('clerk')])
  await node.ready()
  const open = Array.from({ length: 20 }, () => codeOf(node.connect(clerk).wait({})))
  await node.restart('clerk')
  t.alike([...new Set(await Promise.all(open))], ['UNAVAILABLE'])
})

test('an error that a handler leaves behind is that of its service, not of the caller', async (t) => {
  const { node, clock } = await openNode(t, [
    place('careless', ({ provide, clock }) =>
      provide(
        clerk,
        serve(clerk, {
          who() {
            Promise.reject(new Error('left behind'))
            clock.after(10, () => {
              throw new Error('left behind, later')
            })
            return 'done'
          },
          file: () => null,
          wait: ever,
        }),
      ),
    ),
    place(
      'page',
      async ({ directory }) => {
        await directory.find(clerk)[0]?.client.who({})
      },
      { after: ['careless'] },
    ),
  ])
  await node.ready()
  await clock.advance(20)
  t.is(healthOf(node, 'careless').lastError, 'INTERNAL: left behind')
  t.is(healthOf(node, 'page').lastError, null)
  await clock.advance(limits.backoffMs)
  t.is(healthOf(node, 'careless').state, 'running')
})

test('readers come and go with the services that share them, and who watches is told', async (t) => {
  const reader = { worker: 'worker' } as Reader
  let seen: Directory | undefined
  let told = 0
  const { node } = await openNode(t, [
    place('page', ({ directory }) => {
      seen = directory
      directory.watch(() => told++)
    }),
    place('worker', ({ share }) => share(reader)),
  ])
  await node.ready()
  t.is(seen?.readers()[0], reader)
  t.is(told, 1)
  await node.restart('worker')
  t.is(told, 3, 'gone and back')
  t.is(seen?.readers().length, 1)
  await node.restart('page')
  await node.restart('worker')
  t.is(told, 5, 'the watch of the run before ended with it')
})

test('the list is the same object until something changes', async (t) => {
  const { node } = await openNode(t, [clerkService('clerk')])
  await node.ready()
  const found = node.directory.find(clerk)
  t.is(node.directory.find(clerk), found)
  await node.restart('clerk')
  t.not(node.directory.find(clerk), found)
})

test('every node answers about itself', async (t) => {
  const { node, clock } = await openNode(t, [clerkService('clerk')], { demo: true })
  await node.ready()
  const client = node.connect(nodeContract, { caller: { id: 'token:1', scope: 'read' } })
  const { memoryBytes, version, ...rest } = await client.describe({})
  t.alike(rest, { site: 'north', pid: process.pid, startedAt: clock.now(), mode: 'single', demo: true })
  t.ok(memoryBytes > 0)
  t.ok(/^\d+\.\d+\.\d+/.test(version))
  t.alike(await client.services({}), node.services())
})
