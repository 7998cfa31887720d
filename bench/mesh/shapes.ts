import crypto from 'hypercore-crypto'
import createTestnet, { type Address, type Node } from 'hyperdht/testnet.js'
import { Type } from '#model'
import { contract, guard, type KeyPair, mayAt, query, serve } from '#rpc'

const number = Type.Union([Type.Number(), Type.Null()])

/** A small question and a small answer, as the product has them many times a second. */
export const devices = contract('bench', {
  device: query({
    input: Type.Object({ id: Type.String({ minLength: 1, maxLength: 128 }) }),
    output: Type.Object({
      id: Type.String(),
      status: Type.String(),
      at: Type.Number(),
      hashrateThs: number,
      powerW: number,
      boardTempMaxC: number,
      inletTempC: number,
    }),
  }),
})

export const record = {
  id: 'home.wm-m56s.10.0.0.12',
  status: 'mining',
  at: 1_795_455_600_000,
  hashrateThs: 205.1,
  powerW: 5550,
  boardTempMaxC: 71.5,
  inletTempC: null,
}

/** The service as the product serves it. */
export const endpoint = guard(devices, serve(devices, { device: () => record }), mayAt('home'))

/** The same on both sides, so that nothing needs to be told. */
export const keyPairs = {
  raw: crypto.keyPair(Buffer.alloc(32, 1)),
  server: crypto.keyPair(Buffer.alloc(32, 2)),
}

export const keyOf = ({ publicKey }: KeyPair) => Buffer.from(publicKey).toString('hex')

/** A node of the DHT that begins at this address. */
export async function nodeOf(bootstrap: Address, keyPair: KeyPair): Promise<Node> {
  const none = await createTestnet(0, { host: '127.0.0.1' })
  return none.createNode({ bootstrap: [bootstrap], keyPair })
}
