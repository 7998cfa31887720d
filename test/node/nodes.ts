import type { Assertions } from 'brittle'
import { Type } from '#model'
import {
  type Context,
  createNode,
  defineService,
  type Node,
  type NodeOptions,
  type Placement,
  type SupervisorLimits,
} from '#node'
import type { ServiceHealth } from '#rpc'
import { FakeClock } from '../support/fake-clock.js'
import { recordingLog } from '../support/recording-log.js'

export const limits: SupervisorLimits = {
  livenessMs: 30_000,
  backoffMs: 1_000,
  maxBackoffMs: 8_000,
  healthyMs: 60_000,
  failuresToFail: 4,
  failedRetryMs: 300_000,
  startMs: 20_000,
  endMs: 5_000,
  shutdownMs: 10_000,
}

export type Start = (context: Context<Record<string, never>>) => void | Promise<void>

/** A service under its own name as kind, or another. */
export function place(
  name: string,
  start: Start,
  { kind = name, after = [] }: { kind?: string; after?: readonly string[] } = {},
): Placement {
  return { name, service: defineService({ kind, config: Type.Object({}), after, start }), config: {} }
}

/** A node on a clock of the test. Back-off has no chance in it (random = 1: the whole of it). Closed after the test. */
export async function openNode(t: Assertions, services: readonly Placement[], options: Partial<NodeOptions> = {}) {
  const clock = new FakeClock()
  const log = recordingLog()
  const storage = await t.tmp()
  const node = await createNode({ site: 'north', storage, services, clock, log, random: () => 1, limits, ...options })
  t.teardown(async () => {
    const closed = node.close()
    await clock.advance(60_000)
    await closed
  })
  return { node, clock, log, storage }
}

export function healthOf(node: Node, name: string): ServiceHealth {
  const found = node.services().find((health) => health.name === name)
  if (!found) throw new Error(`no service ${name}`)
  return found
}

export const ever = () => new Promise<never>(() => {})
