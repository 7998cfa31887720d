import test from 'brittle'
import fc from 'fast-check'
import { SdkError, Type } from '#model'
import {
  action,
  type Caller,
  client,
  contract,
  encodeRequest,
  guard,
  includes,
  local,
  mayAt,
  narrow,
  query,
  type RpcScope,
  scopes,
  serve,
} from '#rpc'

const none = Type.Object({})
const house = contract('house', {
  look: query({ input: none, output: Type.Null() }),
  turn: action({ input: none, output: Type.Null() }),
  sell: action({ input: none, output: Type.Null(), needs: 'admin' }),
})

const open = serve(house, { look: () => null, turn: () => null, sell: () => null })
const endpoint = guard(house, open, mayAt('north'))

const scope = fc.constantFrom<RpcScope>(...scopes)
const sites = fc.option(fc.subarray(['north', 'south', 'east']), { nil: undefined })
const anyCaller = fc
  .record({ scope, sites })
  .map(({ scope, sites }): Caller => ({ id: 'key:1', scope, ...(sites ? { sites } : {}) }))

async function may(caller: Caller, method: 'look' | 'turn' | 'sell'): Promise<boolean> {
  try {
    await client(house, local(endpoint, caller))[method]({})
    return true
  } catch (error) {
    if (error instanceof SdkError && error.code === 'FORBIDDEN') return false
    throw error
  }
}

test('a scope covers itself and those before it', async (t) => {
  const allowed: [RpcScope, string[]][] = [
    ['read', ['look']],
    ['control', ['look', 'turn']],
    ['admin', ['look', 'turn', 'sell']],
  ]
  for (const [scope, methods] of allowed) {
    for (const method of ['look', 'turn', 'sell'] as const) {
      t.is(await may({ id: 'key:1', scope }, method), methods.includes(method), `${scope}: ${method}`)
    }
  }
})

test('a caller limited to other sites may nothing here', async (t) => {
  t.ok(await may({ id: 'key:1', scope: 'admin', sites: ['south', 'north'] }, 'sell'))
  t.absent(await may({ id: 'key:1', scope: 'admin', sites: ['south'] }, 'look'))
  t.absent(await may({ id: 'key:1', scope: 'admin', sites: [] }, 'look'))
})

test('who may not is refused before the input is parsed', async (t) => {
  let parsed = 0
  const counted = guard(
    house,
    async (request, caller) => {
      parsed++
      return open(request, caller)
    },
    mayAt('north'),
  )
  const request = encodeRequest({ method: 'sell', input: {} })
  const garbage = Uint8Array.from([...request.subarray(0, 6), 0xff, 0xff])
  for (const bytes of [request, garbage]) {
    const reply = JSON.parse(new TextDecoder().decode(await counted(bytes, { id: 'key:1', scope: 'control' })))
    t.is(reply.error.code, 'FORBIDDEN')
  }
  const unknown = encodeRequest({ method: 'burn', input: {} })
  const reply = JSON.parse(new TextDecoder().decode(await counted(unknown, { id: 'key:1', scope: 'admin' })))
  t.is(reply.error.code, 'METHOD_NOT_FOUND')
  t.is(parsed, 0)
})

test('a call in the name of another can only narrow what the connection may', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      anyCaller,
      anyCaller,
      fc.constantFrom('look' as const, 'turn' as const, 'sell' as const),
      async (holder, asked, method) => {
        const both = narrow(holder, asked)
        const [byHolder, byAsked, byBoth] = await Promise.all([
          may(holder, method),
          may(asked, method),
          may(both, method),
        ])
        return byBoth === (byHolder && byAsked) && both.id === asked.id && includes(holder.scope, both.scope)
      },
    ),
  )
  t.pass()
})

test('the local transport narrows, too, and the handler sees who asked', async (t) => {
  const seen: Caller[] = []
  const noted = guard(
    house,
    serve(house, {
      look(_, { caller }) {
        seen.push(caller)
        return null
      },
      turn: () => null,
      sell: () => null,
    }),
    mayAt('north'),
  )
  const calls = client(house, local(noted, { id: 'local:page', scope: 'control' }))
  await calls.look({}, { caller: { id: 'token:7', scope: 'admin', sites: ['north'] } })
  t.alike(
    seen.map(({ id, scope, sites }) => ({ id, scope, sites })),
    [{ id: 'token:7', scope: 'control', sites: ['north'] }],
  )
  try {
    await calls.sell({}, { caller: { id: 'token:7', scope: 'admin' } })
    t.fail('it must be refused')
  } catch (error) {
    t.is((error as SdkError).code, 'FORBIDDEN')
  }
})
