import { SdkError } from '#model'
import { type Farm, type FarmOptions, plainDevice, startFarm } from './farm.js'
import type { Fault, FaultKind } from './faults.js'

/** What `miningsdk simulate` takes; what is not given has its default. */
export interface SimulationOptions {
  readonly miners?: number | undefined
  readonly mix?: string | undefined
  /** First address or network; without it all are on 127.0.0.1 with free ports. */
  readonly address?: string | undefined
  readonly webPort?: number | undefined
  readonly faults?: number | undefined
  readonly seed?: number | undefined
  readonly speed?: number | undefined
  readonly elapsedS?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const defaultMiners = 24
/** More are not listed one by one. */
const listed = 40

/**
 * Runs simulated miners until the signal aborts, or, in a forked process, until the parent is gone. A parent with an IPC channel gets
 * `{ type: 'devices', devices }`, and may send `{ type: 'fault', index, fault }` and `{ type: 'heal', index, which? }`.
 */
export async function runSimulation(options: SimulationOptions, print: (line: string) => void): Promise<void> {
  for (const [name, value] of Object.entries(options))
    if (typeof value === 'number' && !Number.isFinite(value)) throw new SdkError('BAD_REQUEST', `${name} is no number`)
  const parentGone = new AbortController()
  const onGone = () => parentGone.abort()
  process.once('disconnect', onGone)
  try {
    const farm = await startFarm(farmOptions(options))
    const stopListening = obeyParent(farm)
    report(farm, print)
    await aborted(options.signal ? AbortSignal.any([options.signal, parentGone.signal]) : parentGone.signal)
    stopListening()
    await farm.close()
  } finally {
    process.removeListener('disconnect', onGone)
  }
}

function farmOptions({ miners = defaultMiners, address, signal: _, ...rest }: SimulationOptions): FarmOptions {
  const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  return { ...known, miners, ...(address === undefined ? {} : { addresses: address }) }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

type Order =
  | { readonly type: 'fault'; readonly index: number; readonly fault: Fault }
  | { readonly type: 'heal'; readonly index: number; readonly which?: FaultKind }

function obeyParent(farm: Farm): () => void {
  if (!process.connected || !process.send) return () => {}
  const obey = (order: Order | undefined) => {
    // An index that there is not, or a port that was taken meanwhile: nothing that should end the simulation.
    if (order?.type === 'fault') farm.setFault(order.index, order.fault).catch(() => {})
    if (order?.type === 'heal') farm.clearFault(order.index, order.which).catch(() => {})
  }
  process.on('message', obey)
  process.send({ type: 'devices', devices: farm.devices.map(plainDevice) })
  return () => void process.removeListener('message', obey)
}

function report(farm: Farm, print: (line: string) => void) {
  const { devices } = farm
  print(`${devices.length} simulated miners are running. They are not real: nothing they report was measured.`)
  for (const { host, port, ports, library, model, username } of devices.slice(0, listed)) {
    const others = Object.entries(ports ?? {}).map(([name, number]) => `${name} ${number}`)
    print([`${host}:${port}`, library, model, `user ${username}`, ...others].join('\t'))
  }
  if (devices.length > listed) print(`... and ${devices.length - listed} more, up to ${devices.at(-1)!.host}`)
  const passwords = new Map(devices.map(({ library, password }) => [library, password]))
  print(`Their passwords are known to all: ${[...passwords].map((pair) => pair.join(' ')).join(', ')}.`)
}
