import test from 'brittle'
import { SdkError, systemClock } from '#model'
import type { Reader } from '#replication'
import { deviceWorker } from '#rpc'
import { workerOf } from '../../../src/gateway/reach.js'
import { createRegistry } from '../../../src/node/directory.js'
import { type KnownService, remoteSource } from '../../../src/node/mesh/remote.js'

const [own, owner, impostor] = ['aa', 'bb', '11'].map((two) => two.repeat(32)) as [string, string, string]
const caller = { id: 'somebody', scope: 'control' } as const

const announced = (member: string): KnownService => ({
  member,
  name: 'wm',
  kind: 'device-worker',
  site: 'texas',
  contracts: [deviceWorker.name],
  at: 1,
})

test('what is meant for a device goes to the member whose feed has it, whoever else has the name of its worker', async (t) => {
  const reader = { worker: 'wm', site: 'texas' } as Reader
  const services = [announced(impostor), announced(owner)]
  const asked: string[] = []
  const registry = createRegistry({ site: 'hq', clock: systemClock })
  const ended = new AbortController()
  registry.join(
    remoteSource({
      own,
      services: () => services,
      readers: () => [reader],
      readerOf: ({ member }) => (member === owner ? reader : undefined),
      transport: (node) => () => {
        asked.push(node)
        return Promise.reject(new SdkError('UNAVAILABLE', 'nobody is there'))
      },
      watch: () => () => {},
    }),
    ended.signal,
  )
  const owned = { name: 'page', fail: (error: unknown) => t.fail(String(error)) }
  const directory = registry.as({ caller, owner: owned, signal: ended.signal })
  await t.exception(workerOf(directory, reader, caller).describe({}), /nobody is there/)
  t.alike(asked, [owner])
  t.alike(
    directory.find(deviceWorker).map(({ node }) => node),
    [impostor, owner],
    'and who is behind a name can be seen',
  )
  const unknown = { worker: 'wm', site: 'texas' } as Reader
  t.exception(() => workerOf(directory, unknown, caller), /does not answer now/, 'and to nobody rather than to another')
  ended.abort()
})
