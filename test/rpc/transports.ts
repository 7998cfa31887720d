import type { Clock } from '#model'
import { type Caller, type Endpoint, local, type Transport } from '#rpc'
import { openMesh } from './mesh.js'

/** A way to reach an endpoint, for tests whose promises hold over every transport. */
export interface Way {
  readonly name: string
  open(endpoint: Endpoint, caller: Caller, clock: Clock): Promise<{ transport: Transport; close(): Promise<void> }>
}

const inProcess: Way = {
  name: 'the process itself',
  open: async (endpoint, caller, clock) => ({ transport: local(endpoint, caller, { clock }), close: async () => {} }),
}

/** Between two nodes of a DHT. What is between them takes real time, so the test's clock is the endpoint's alone. */
const swarm: Way = {
  name: 'the swarm',
  async open(endpoint, caller) {
    const mesh = await openMesh()
    const far = mesh.member()
    await mesh.server(far, { callerOf: () => caller, resolve: () => endpoint })
    const pool = mesh.pool(mesh.member())
    return { transport: pool.transport(far.key, 'desk', 'desk'), close: mesh.close }
  },
}

export const ways: readonly Way[] = [inProcess, swarm]
