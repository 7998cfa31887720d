import { SdkError } from '#model'
import { addressesFrom } from './addresses.js'
import { type Farm, type FarmOptions, plainDevice, type SimulatedDevice, startFarm } from './farm.js'
import type { Fault, FaultKind } from './faults.js'
import { parsePlant, type RunningPlant, startPlant } from './plant/site.js'

/** What `miningsdk simulate` takes; what is not given has its default. */
export interface SimulationOptions {
  readonly miners?: number | undefined
  readonly mix?: string | undefined
  /** First address or network; without it all are on 127.0.0.1 with free ports. */
  readonly address?: string | undefined
  /** Containers, meters and sensors beside the miners: names with commas, or `all`. */
  readonly plant?: string | undefined
  /** Where a container that connects to its operator finds the broker, `host:port`. */
  readonly broker?: string | undefined
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
    const names = options.plant === undefined ? [] : parsePlant(options.plant)
    const farm = await startFarm(farmOptions(options))
    const plant = await plantBeside(farm, names, options)
    const devices = [...farm.devices.map(plainDevice), ...plant.devices]
    const stopListening = obeyParent(farm, devices)
    report(devices, print)
    await aborted(options.signal ? AbortSignal.any([options.signal, parentGone.signal]) : parentGone.signal)
    stopListening()
    await plant.close()
    await farm.close()
  } finally {
    process.removeListener('disconnect', onGone)
  }
}

/** On the addresses after those of the miners. Throws what listening throws; then the miners are closed too. */
async function plantBeside(farm: Farm, names: readonly string[], options: SimulationOptions): Promise<RunningPlant> {
  const { address, broker } = options
  const miners = farm.devices.length
  try {
    return await startPlant({
      names,
      hosts: address === undefined ? undefined : addressesFrom(address, miners + names.length).slice(miners),
      loadW: () => farm.devices.reduce((sum, { machine }) => sum + machine.physics.read().powerW, 0),
      broker: broker === undefined ? undefined : brokerAt(broker),
    })
  } catch (error) {
    await farm.close()
    throw error
  }
}

function brokerAt(text: string): { host: string; port: number } {
  const [host = '', port] = text.split(':')
  if (host === '' || !(Number(port) > 0))
    throw new SdkError('BAD_REQUEST', `the broker must be a host:port, not ${JSON.stringify(text)}`)
  return { host, port: Number(port) }
}

function farmOptions(options: SimulationOptions): FarmOptions {
  const { miners = defaultMiners, address, signal: _, plant: _p, broker: _b, ...rest } = options
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

function obeyParent(farm: Farm, devices: readonly SimulatedDevice[]): () => void {
  if (!process.connected || !process.send) return () => {}
  const obey = (order: Order | undefined) => {
    // An index that there is not, or a port that was taken meanwhile: nothing that should end the simulation.
    if (order?.type === 'fault') farm.setFault(order.index, order.fault).catch(() => {})
    if (order?.type === 'heal') farm.clearFault(order.index, order.which).catch(() => {})
  }
  process.on('message', obey)
  process.send({ type: 'devices', devices })
  return () => void process.removeListener('message', obey)
}

function report(devices: readonly SimulatedDevice[], print: (line: string) => void) {
  print(`${devices.length} simulated devices are running. They are not real: nothing they report was measured.`)
  for (const { host, port, ports, unit, library, model, username } of devices.slice(0, listed)) {
    const others = Object.entries(ports ?? {}).map(([name, number]) => `${name} ${number}`)
    const behind = unit === undefined ? [] : [`unit ${unit}`]
    print(
      [`${host}:${port}`, library, model, ...(username ? [`user ${username}`] : []), ...behind, ...others].join('\t'),
    )
  }
  if (devices.length > listed) print(`... and ${devices.length - listed} more, up to ${devices.at(-1)!.host}`)
  for (const { name, options } of devices) if (options) print(`${name} needs the options ${JSON.stringify(options)}`)
  const passwords = new Map(devices.map(({ library, password }) => [library, password]))
  const known = [...passwords].filter(([, password]) => password !== '')
  print(`Their passwords are known to all: ${known.map((pair) => pair.join(' ')).join(', ')}.`)
}
