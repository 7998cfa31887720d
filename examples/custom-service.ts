/**
 * A service of your own beside the built-in ones: it answers a typed contract and looks at the fleet every few seconds. Run it with
 * `npx tsx examples/custom-service.ts`.
 */
import { action, contract, createNode, defineService, query, serve, Type } from 'miningsdk'

/** What it answers: declared once, the same in process and over the mesh. */
export const counter = contract('counter', {
  read: query({ input: Type.Object({}), output: Type.Object({ count: Type.Integer() }) }),
  add: action({
    input: Type.Object({ by: Type.Integer({ minimum: 1 }) }),
    output: Type.Object({ count: Type.Integer() }),
  }),
})

export const counterService = defineService({
  kind: 'counter',
  config: Type.Object({ start: Type.Optional(Type.Integer({ default: 0 })) }, { additionalProperties: false }),
  start(context) {
    let count = context.config.start ?? 0
    context.provide(
      counter,
      serve(counter, {
        read: () => ({ count }),
        add: ({ by }) => {
          count += by
          return { count }
        },
      }),
    )
    // Runs until the service ends; an error in it restarts this service and nobody else.
    context.every(5000, () => context.log.debug({ count, feeds: context.directory.readers().length }, 'still counting'))
  },
})

export async function main(storage: string): Promise<number> {
  const node = await createNode({
    site: 'example',
    storage,
    services: [{ name: 'counter', service: counterService, config: { start: 40 } }],
  })
  await node.ready()
  try {
    const { count } = await node.connect(counter).add({ by: 2 })
    return count
  } finally {
    await node.close()
  }
}

if (process.argv[1]?.endsWith('custom-service.ts')) console.log(await main('./data-example'))
