import RPC from '@hyperswarm/rpc'
import test, { type Assertions } from 'brittle'
import { type ErrorCode, SdkError, Type } from '#model'
import {
  action,
  type Caller,
  type CallOptions,
  client,
  contract,
  guard,
  type Handlers,
  mayAt,
  query,
  type ServerLimits,
  serve,
} from '#rpc'
import { until } from '../support/fake-clock.js'
import { type Member, membersOnly, openMesh } from './mesh.js'

const text = Type.Object({ text: Type.String() }, { additionalProperties: false })
const none = Type.Object({})
const desk = contract('desk', {
  echo: query({ input: text, output: text }),
  command: action({ input: none, output: Type.Null() }),
  wait: query({ input: none, output: Type.Null() }),
})
const plain = { requestEncoding: null, responseEncoding: null } as const
const impatient = { connectMs: 500 }

/** A server at the site north, and who may call it. */
async function openDesk(
  t: Assertions,
  limits: Partial<ServerLimits> = {},
  handlers: Partial<Handlers<typeof desk.methods>> = {},
) {
  const mesh = await openMesh()
  t.teardown(mesh.close)
  const callers = new Map<string, Caller>()
  const far = mesh.member()
  const answers = {
    echo: (input: { text: string }) => input,
    command: () => null,
    wait: () => new Promise<null>(() => {}),
  }
  const endpoint = guard(desk, serve(desk, { ...answers, ...handlers }), mayAt('north'))
  const server = await mesh.server(far, {
    callerOf: membersOnly(callers),
    resolve: (_, service) => (service === 'desk' ? endpoint : undefined),
    limits,
  })
  const join = (caller: Caller): Member => {
    const member = mesh.member()
    callers.set(member.key, caller)
    return member
  }
  const callsOf = (member: Member, defaults: CallOptions = {}, service = 'desk') =>
    client(desk, mesh.pool(member, impatient).transport(far.key, 'desk', service), defaults)
  /** The bare connection of an attacker that has a key. */
  const streamOf = async (member: Member) => {
    const stream = member.network.connect(far.keyPair.publicKey, {
      keyPair: member.keyPair,
    }) as unknown as HostileStream
    stream.on('error', () => {})
    await stream.opened
    return stream
  }
  const channelOf = ({ network, keyPair }: Member) =>
    new RPC({ dht: network, keyPair }).connect(far.keyPair.publicKey, { keyPair }).rpc
  return { mesh, server, far, callers, join, callsOf, streamOf, channelOf }
}

interface HostileStream {
  readonly opened: Promise<boolean>
  readonly destroyed: boolean
  readonly rawStream: { write(bytes: Uint8Array): void }
  on(event: 'error', listener: () => void): unknown
  write(bytes: Uint8Array): void
}

async function codeOf(call: Promise<unknown>): Promise<ErrorCode | 'no error' | 'another error'> {
  try {
    await call
    return 'no error'
  } catch (error) {
    return error instanceof SdkError ? error.code : 'another error'
  }
}

/** The beginning of an encrypted message that says it is so long. */
function begun(length: number): Uint8Array {
  const bytes = Buffer.alloc(100_000)
  bytes.writeUIntLE(length, 0, 3)
  return bytes
}

const reader: Caller = { id: 'key:reader', scope: 'read' }

test('a key that nobody knows gets no connection', async (t) => {
  const { mesh, server, callsOf } = await openDesk(t)
  t.is(await codeOf(callsOf(mesh.member()).echo({ text: 'a' })), 'UNAVAILABLE')
  t.is(server.stats().connections, 0)
  t.ok(server.stats().refused['unknown-key'] > 0)
})

test('a key that is revoked is refused at its next call, on the connection that it has', async (t) => {
  const { server, callers, join, callsOf } = await openDesk(t)
  const member = join(reader)
  const calls = callsOf(member)
  t.is(await codeOf(calls.echo({ text: 'a' })), 'no error')
  callers.delete(member.key)
  t.is(await codeOf(calls.echo({ text: 'a' })), 'UNAUTHENTICATED')
  t.is(server.stats().refused.caller, 1)
  t.is(server.stats().connections, 1, 'over the same connection')
})

const beyond: [string, Caller, CallOptions][] = [
  ['a reader that commands', reader, {}],
  ['a worker that commands the devices of another', { id: 'key:worker', scope: 'member' }, {}],
  ['a grant for another site', { id: 'key:south', scope: 'admin', sites: ['south'] }, {}],
  ['a reader that says it calls for an admin', reader, { caller: { id: 'token:1', scope: 'admin' } }],
  [
    'a grant for another site that says it calls for somebody of this one',
    { id: 'key:south', scope: 'admin', sites: ['south'] },
    { caller: { id: 'token:1', scope: 'admin', sites: ['north'] } },
  ],
  [
    'a user of a gateway that may read only',
    { id: 'key:gate', scope: 'admin' },
    { caller: { id: 'token:2', scope: 'read' } },
  ],
]
test('who asks for more than it holds is refused, and counted', async (t) => {
  let commanded = 0
  const { server, join, callsOf } = await openDesk(
    t,
    {},
    {
      command() {
        commanded++
        return null
      },
    },
  )
  for (const [what, caller, defaults] of beyond)
    t.is(await codeOf(callsOf(join(caller), defaults).command({})), 'FORBIDDEN', what)
  t.is(commanded, 0)
  t.is(server.stats().refused.forbidden, beyond.length)
  t.is(await codeOf(callsOf(join({ id: 'key:operator', scope: 'control' })).command({})), 'no error')
})

test('who asks for a service that is not here is told so, and counted', async (t) => {
  const { server, join, callsOf } = await openDesk(t)
  t.is(await codeOf(callsOf(join(reader), {}, 'nobody').echo({ text: 'a' })), 'UNAVAILABLE')
  t.is(server.stats().refused['unknown-service'], 1)
})

test('a message that is too long ends the connection before it is collected', async (t) => {
  const { server, join, streamOf } = await openDesk(t)
  const stream = await streamOf(join(reader))
  await until(() => server.stats().connections === 1, 'the connection')
  const before = process.memoryUsage().arrayBuffers
  // The longest that the encryption below can say is 16 MiB; its socket shows nothing of a message before 64 KiB of it are there.
  stream.rawStream.write(begun(0xffffff))
  await until(() => server.stats().connections === 0, 'the end of the connection')
  t.is(server.stats().refused['message-size'], 1)
  t.ok(process.memoryUsage().arrayBuffers - before < 8_000_000)
})

test('a message within one that says it has a gigabyte ends the connection', async (t) => {
  const { server, join, channelOf } = await openDesk(t)
  const channel = channelOf(join(reader))
  channel.event('messages', Uint8Array.of(0, 0x40, 0, 0, 0, 1), plain)
  await until(() => server.stats().refused.malformed === 1, 'the refusal')
  await until(() => server.stats().connections === 0, 'the end of the connection')
  t.pass()
})

test('a request above the limit is refused, and the next one answered', async (t) => {
  const { server, join, callsOf } = await openDesk(t, { requestBytes: 1000 })
  const calls = callsOf(join(reader))
  t.is(await codeOf(calls.echo({ text: 'x'.repeat(2000) })), 'TOO_LARGE')
  t.is(await codeOf(calls.echo({ text: 'x' })), 'no error')
  t.is(server.stats().refused['message-size'], 1)
})

test('thousands of calls at once: so many work, so many wait, the rest is refused; others are served', async (t) => {
  let working = 0
  let most = 0
  const done: (() => void)[] = []
  const { mesh, server, far, join, callsOf } = await openDesk(
    t,
    { callsInFlight: 8, callsQueued: 16 },
    {
      wait: () =>
        new Promise((resolve) => {
          most = Math.max(most, ++working)
          done.push(() => {
            working--
            resolve(null)
          })
        }),
    },
  )
  const flood = mesh.pool(join(reader), { callsInFlight: 5000 })
  const calls = client(desk, flood.transport(far.key, 'desk', 'desk'))
  const codes = Array.from({ length: 3000 }, () => codeOf(calls.wait({})))
  await until(() => server.stats().refused['calls-at-once'] === 3000 - 24, 'the refusals')
  t.is(await codeOf(callsOf(join(reader)).echo({ text: 'another peer' })), 'no error')
  await until(() => {
    for (const end of done.splice(0)) end()
    return server.stats().callsInFlight + server.stats().callsQueued === 0
  }, 'the end of what was taken')
  const all = await Promise.all(codes)
  t.is(all.filter((code) => code === 'no error').length, 24)
  t.is(all.filter((code) => code === 'RATE_LIMITED').length, 3000 - 24)
  t.is(most, 8)
})

test('more calls a second than the bucket holds are refused', async (t) => {
  const { server, join, callsOf } = await openDesk(t, { callsPerSecond: 0.001, callsBurst: 20 })
  const calls = callsOf(join(reader))
  const codes = await Promise.all(Array.from({ length: 50 }, () => codeOf(calls.echo({ text: 'a' }))))
  t.is(codes.filter((code) => code === 'no error').length, 20)
  t.is(server.stats().refused['calls-per-second'], 30)
})

test('hundreds of connections of one key: few are kept, others are served', { timeout: 60_000 }, async (t) => {
  const { server, far, join, callsOf } = await openDesk(t, { connectsPerMinute: 100 })
  const { network, keyPair } = join(reader)
  let most = 0
  for (let round = 0; round < 15; round++) {
    for (let at = 0; at < 20; at++) network.connect(far.keyPair.publicKey, { keyPair }).on('error', () => {})
    await new Promise((resolve) => setTimeout(resolve, 50))
    most = Math.max(most, server.stats().connections)
  }
  await until(() => server.stats().refused['connects-per-minute'] > 0, 'too many a minute', 20_000)
  t.ok(most <= 4, `at most ${most} at once`)
  t.ok(server.stats().refused['connections-per-key'] > 0)
  t.is(await codeOf(callsOf(join(reader)).echo({ text: 'a' })), 'no error')
})

test('connections beyond the limit of all are not answered', async (t) => {
  const { server, join, callsOf } = await openDesk(t, { connections: 2 })
  const codes = []
  for (let at = 0; at < 3; at++) codes.push(await codeOf(callsOf(join(reader)).echo({ text: 'a' })))
  t.alike(codes, ['no error', 'no error', 'UNAVAILABLE'])
  t.ok(server.stats().refused.connections > 0)
})

test('who begins a message and does not end it, or never opens RPC, is shown out', async (t) => {
  const { server, join, streamOf, channelOf } = await openDesk(t, { messageMs: 300, openMs: 300 })
  await streamOf(join(reader))
  await until(() => server.stats().refused['not-opened'] === 1, 'who never opens RPC is shown out')
  const slow = channelOf(join(reader))
  await new Promise<void>((resolve) => slow.on('open', () => resolve()))
  const socket = slow.stream.rawStream as unknown as HostileStream['rawStream']
  socket.write(begun(1_000_000))
  await until(() => server.stats().refused.slow === 1, 'who does not end its message is shown out')
  t.is(server.stats().connections, 0)
})

test('who does not take its answers loses its connection', async (t) => {
  const long = 'x'.repeat(100_000)
  const { server, join, callsOf } = await openDesk(t, { backlogBytes: 300_000 }, { echo: () => ({ text: long }) })
  const calls = callsOf(join(reader))
  const codes = await Promise.all(Array.from({ length: 40 }, () => codeOf(calls.echo({ text: 'a' }))))
  t.ok(codes.includes('UNAVAILABLE'))
  t.ok(server.stats().refused.unread > 0)
})

test('whoever goes away ends what it asked for', async (t) => {
  let told: unknown
  let began = false
  const { mesh, server, far, join } = await openDesk(
    t,
    {},
    {
      wait(_, { signal }) {
        began = true
        signal.addEventListener('abort', () => {
          told = (signal.reason as SdkError).code
        })
        return new Promise(() => {})
      },
    },
  )
  const pool = mesh.pool(join(reader))
  const code = codeOf(client(desk, pool.transport(far.key, 'desk', 'desk')).wait({}))
  await until(() => began, 'the handler begins')
  await pool.close()
  t.is(await code, 'UNAVAILABLE')
  await until(() => told === 'CANCELLED', 'the handler is told')
  t.is(server.stats().callsInFlight, 0)
})
