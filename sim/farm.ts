import { type Clock, type Options, SdkError, systemClock } from '#model'
import { addressesFrom } from './addresses.js'
import type { Breed } from './breed.js'
import type { Fault, FaultKind } from './faults.js'
import type { Machine } from './machine.js'
import { breedsOf, defaultMix, type Mix, parseMix } from './mix.js'
import { chance } from './random.js'
import { Listeners, type Simulator } from './server.js'
import { Storm } from './storm.js'

export interface FarmOptions {
  /** How many, at most 20,000 in one process. */
  readonly miners: number
  readonly mix?: Mix | string
  /** All on one address, each on free ports of its own. Default: 127.0.0.1, unless `addresses` is given. */
  readonly host?: string
  /** First address or network (`127.1.0.1`, `127.1.0.0/22`): every miner has its own address, and the standard ports. */
  readonly addresses?: string
  /** Another web port than 80, which not everybody may listen on. Only with `addresses`. */
  readonly webPort?: number
  readonly seed?: number
  readonly clock?: Clock
  /** How much faster the miners' own time runs: warm-up, counters, restarts. Their calendar follows the clock. */
  readonly speed?: number
  /** So large a share of them breaks and heals over time (0.02: two of a hundred at any time). */
  readonly faults?: number
  /** So long they have been mining at the start, s. Default: from an hour to 30 days. */
  readonly elapsedS?: number
}

/** What a worker has to know to reach one: the shape of a device entry, its library and its model. Can be sent to other processes. */
export interface SimulatedDevice {
  readonly host: string
  readonly port: number
  /** Ports by protocol port name, if they are not the standard ones. */
  readonly ports?: Readonly<Record<string, number>>
  /** Behind a gateway: which of its units. */
  readonly unit?: number
  /** Of plant: what it is called, and the settings that its library needs. */
  readonly name?: string
  readonly options?: Options
  readonly library: string
  readonly model: string
  readonly username: string
  readonly password: string
  readonly simulated: true
}

export interface FarmDevice extends SimulatedDevice {
  /** The virtual hardware behind it: readings, faults. */
  readonly machine: Machine
}

const maxMiners = 20_000
/** So many listeners are opened at a time. */
const opening = 64

/** Running simulated miners. `close` leaves nothing open. */
export class Farm {
  readonly devices: readonly FarmDevice[]
  readonly #listeners: readonly Listeners[]
  readonly #storm: Storm | undefined

  constructor(devices: readonly FarmDevice[], listeners: readonly Listeners[], storm: Storm | undefined) {
    this.devices = devices
    this.#listeners = listeners
    this.#storm = storm
  }

  /** Breaks a miner; resolves when it is so. Throws NOT_FOUND for an index that there is not. */
  async setFault(index: number, fault: Fault): Promise<void> {
    const [machine, listeners] = this.#at(index)
    machine.break(fault)
    if (fault.kind === 'dead') await listeners.close()
  }

  /** Heals one fault of a miner, all of a kind, or all. */
  async clearFault(index: number, which?: Fault | FaultKind): Promise<void> {
    const [machine, listeners] = this.#at(index)
    machine.heal(which)
    if (!machine.has('dead')) await listeners.listen()
  }

  async close(): Promise<void> {
    this.#storm?.stop()
    await this.#storm?.settled()
    await Promise.all(this.#listeners.map((listeners) => listeners.close()))
  }

  #at(index: number): [Machine, Listeners] {
    const device = this.devices[index]
    const listeners = this.#listeners[index]
    if (!device || !listeners) throw new SdkError('NOT_FOUND', `there is no simulated miner ${index}`)
    return [device.machine, listeners]
  }
}

/**
 * Starts simulated miners on real sockets. The same seed, clock and mix give the same miners. Throws BAD_REQUEST for options that cannot
 * be met, and what listening throws: PORT_IN_USE, FORBIDDEN, UNAVAILABLE; then nothing stays open.
 */
export async function startFarm(options: FarmOptions): Promise<Farm> {
  const { miners, mix = defaultMix, seed = 1, clock = systemClock, speed = 1, faults = 0, elapsedS } = options
  if (!Number.isInteger(miners) || miners < 1 || miners > maxMiners)
    throw new SdkError('BAD_REQUEST', `between 1 and ${maxMiners} miners can be simulated, not ${miners}`)
  if (!(speed > 0)) throw new SdkError('BAD_REQUEST', 'speed must be above 0')
  if (!(faults >= 0 && faults <= 1)) throw new SdkError('BAD_REQUEST', 'faults must be a share between 0 and 1')
  const kinds = breedsOf(typeof mix === 'string' ? parseMix(mix) : mix, miners)
  const hosts = options.addresses ? addressesFrom(options.addresses, miners) : undefined
  const one = options.host ?? '127.0.0.1'

  const simulators = kinds.map((breed, index) => {
    const address = hosts?.[index] ?? one
    return breed.make({ clock, speed, elapsedS, address, seed: seedOf(seed, index) })
  })
  const listeners = simulators.map((simulator, index) => {
    return new Listeners(
      simulator,
      hosts?.[index] ?? one,
      hosts ? standard(simulator, options.webPort) : free(simulator),
    )
  })
  try {
    await inGroups(listeners, (each) => each.listen())
  } catch (error) {
    await Promise.all(listeners.map((each) => each.close()))
    throw error
  }
  const devices = simulators.map((simulator, index) =>
    deviceOf(kinds[index]!, simulator, hosts?.[index] ?? one, listeners[index]!.ports),
  )
  const storm = faults > 0 ? new Storm({ share: faults, seed, clock, speed }) : undefined
  const farm = new Farm(devices, listeners, storm)
  storm?.start(farm)
  return farm
}

function seedOf(seed: number, index: number): number {
  return Math.floor(chance(seed, index) * 0x7fff_ffff)
}

const free = (simulator: Simulator) => Object.fromEntries(simulator.doors.map(({ name }) => [name, 0]))
const isWeb = ({ standardPort }: { standardPort: number }) => standardPort === 80
const standard = ({ doors }: Simulator, webPort: number | undefined): Record<string, number> =>
  webPort === undefined ? {} : Object.fromEntries(doors.filter(isWeb).map(({ name }) => [name, webPort]))

function deviceOf(
  breed: Breed,
  simulator: Simulator,
  host: string,
  ports: Readonly<Record<string, number>>,
): FarmDevice {
  const isStandard = simulator.doors.every(({ name, standardPort }) => ports[name] === standardPort)
  return {
    host,
    port: ports[breed.mainDoor]!,
    ...(isStandard ? {} : { ports }),
    library: breed.library,
    model: breed.model,
    ...breed.credentials,
    simulated: true,
    machine: simulator.machine,
  }
}

async function inGroups<T>(items: readonly T[], job: (item: T) => Promise<void>) {
  for (let at = 0; at < items.length; at += opening) await Promise.all(items.slice(at, at + opening).map(job))
}

/** The part of a device that can travel to another process. */
export function plainDevice({ machine: _, ...device }: FarmDevice): SimulatedDevice {
  return device
}
