import test from 'brittle'
import { SdkError, Type } from '#model'
import { action, type Caller, client, contract, firstOf, type Handlers, query, serve } from '#rpc'
import { FakeClock } from '../support/fake-clock.js'
import { ways } from './transports.js'

const desk = contract('desk', {
  ask: query({ input: Type.Object({}), output: Type.String() }),
  order: action({ input: Type.Object({}), output: Type.String() }),
})
const caller: Caller = { id: 'key:1', scope: 'admin' }
const away = () => {
  throw new SdkError('UNAVAILABLE', 'not now')
}

for (const way of ways) {
  test(`where several serve the same the next one answers for one that cannot (over ${way.name})`, async (t) => {
    const desks = (name: string): Handlers<typeof desk.methods> => ({
      ask: name === 'first' ? away : () => name,
      order: name === 'first' ? away : () => name,
    })
    const open = async (name: string) => {
      const opened = await way.open(serve(desk, desks(name)), caller, new FakeClock())
      t.teardown(opened.close)
      return opened.transport
    }
    const [first, second] = [await open('first'), await open('second')]
    const both = client(
      desk,
      firstOf(() => [first, second]),
    )
    t.is(await both.ask({}), 'second', 'a question goes on to the next')
    await t.exception(both.order({}), { code: 'UNAVAILABLE' }, 'an order that was begun is not given again')
    t.is(
      await client(
        desk,
        firstOf(() => [second, first]),
      ).order({}),
      'second',
    )
    await t.exception(
      client(
        desk,
        firstOf(() => []),
      ).ask({}),
      { code: 'UNAVAILABLE' },
      'nobody is there',
    )
  })
}
