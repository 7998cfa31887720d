import { fileURLToPath } from 'node:url'
import type { Log } from '#model'
import type { Node, NodeOptions, SiteConfig } from '#node'
import { type Caller, serveChannel } from '#rpc'

/** A process that gives no sign of life for so long hangs; one that ended is seen at once. */
const limits: NonNullable<NodeOptions['limits']> = {
  livenessMs: 3_000,
  backoffMs: 200,
  endMs: 9_000,
  shutdownMs: 12_000,
}

/** Whoever started this process runs it. */
const parent: Caller = { id: 'local:supervisor', scope: 'admin' }

/** Every service of the configuration in a process of its own, supervised like a service. */
export async function openProcesses(config: SiteConfig, env: NodeJS.ProcessEnv, log: Log): Promise<Node> {
  const { childProcess, createNode, readableLine } = await import('#node')
  const readable = process.stderr.isTTY === true
  const write = (line: string) => {
    process.stderr.write(readable && line.startsWith('{') ? readableLine(line) : `${line}\n`)
  }
  const { site, storage, mode } = config
  const services = config.services.map(({ name, maxMemoryMb }) => ({
    name,
    config: {},
    service: childProcess({
      command: process.execPath,
      args: [...process.execArgv, mainFile, 'start'],
      env: { ...env, MININGSDK_SERVICE: name, MININGSDK_MODE: 'microservices' },
      maxMemoryBytes: maxMemoryMb * 1_048_576,
      write,
    }),
  }))
  return createNode({ site, storage, mode, services, log, limits })
}

const mainFile = fileURLToPath(import.meta.resolve('#main'))

export function announceProcesses(node: Node, { runtime }: SiteConfig, say: (text: string) => void): void {
  for (const { name, ready, reason } of node.services()) if (!ready) say(`! ${name} does not run: ${reason}`)
  const also = runtime === 'process' ? '' : `; under ${runtime}, start each with MININGSDK_SERVICE=<name> instead`
  say(`  ${node.services().length} processes, started and watched by this one${also}\n`)
}

/** A process that another one of ours started answers it, and ends when it is gone. Answers how to let go of it. */
export function followParent(node: Node): () => void {
  if (process.send === undefined) return () => {}
  const stop = serveChannel(process as Parameters<typeof serveChannel>[0], parent, node.resolve)
  const close = () => void node.close().then(() => process.exit())
  process.once('disconnect', close)
  return () => {
    stop()
    process.off('disconnect', close)
    process.disconnect?.()
  }
}
