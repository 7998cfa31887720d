import { type Clock, SdkError, systemClock } from '#model'
import type { SimulatedDevice } from '../farm.js'
import { AntspaceContainer } from './antspace.js'
import { BitdeerContainer } from './bitdeer.js'
import { abbB23, climateTransmitter, senecaZ4rtd2 } from './meters.js'
import { MicrobtContainer } from './microbt.js'
import { ModbusGateway } from './modbus.js'

/** What one piece of plant is made with. */
interface Place {
  readonly host: string
  /** Standard ports, or free ones. */
  readonly standard: boolean
  readonly clock: Clock
  /** W that the miners draw: what the meter measures. */
  readonly loadW: () => number
  /** The broker that a container connects to. */
  readonly broker: { readonly host: string; readonly port: number }
}

interface Plant {
  readonly device: Omit<SimulatedDevice, 'simulated'>
  close(): unknown
}

const modbusPort = 502
const coolerPort = 8000
const account = { username: 'admin', password: 'admin' }
const nobody = { username: '', password: '' }

async function microbt(variant: 'wonderint' | 'kehua', { host, standard, clock, loadW }: Place): Promise<Plant> {
  const container = new MicrobtContainer({ variant, host, port: standard ? modbusPort : 0, clock, loadW })
  await container.gateway.listen()
  return {
    device: {
      host,
      port: container.gateway.listener.port,
      library: 'container-microbt',
      model: variant,
      name: variant,
      ...account,
    },
    close: () => container.gateway.close(),
  }
}

async function antspace(family: 'hydro' | 'immersion', { host, standard, clock }: Place): Promise<Plant> {
  const container = new AntspaceContainer({ family, host, port: standard ? coolerPort : 0, clock })
  await container.listen()
  const model = family === 'hydro' ? 'HK3' : 'HK3 immersion'
  return {
    device: {
      host,
      port: container.listener.port,
      library: 'container-antspace',
      model,
      name: `antspace ${family}`,
      ...nobody,
    },
    close: () => container.close(),
  }
}

/** It connects to the broker of the worker that has it, again and again until that is there. */
async function bitdeer({ clock, broker }: Place): Promise<Plant> {
  const name = 'C001_D40'
  const container = new BitdeerContainer({ name, ...broker, ...account, clock })
  return {
    device: { host: name, port: broker.port, library: 'container-bitdeer', model: 'D40', name: 'bitdeer', ...account },
    close: () => container.close(),
  }
}

async function meter({ host, standard, clock, loadW }: Place): Promise<Plant> {
  const gateway = new ModbusGateway(new Map([[1, abbB23(loadW, clock)]]), {
    host,
    port: standard ? modbusPort : 0,
    clock,
  })
  await gateway.listen()
  return {
    device: {
      host,
      port: gateway.listener.port,
      unit: 1,
      library: 'powermeter-abb',
      model: 'B23',
      name: 'main meter',
      options: { measures: 'site' },
      ...nobody,
    },
    close: () => gateway.close(),
  }
}

/** How fast temperatures go up and down, s of a turn. */
const turnS = 240
const wave = (clock: Clock, middle: number, swing: number, phase = 0) =>
  middle + swing * Math.sin((clock.now() / 1000 / turnS) * 2 * Math.PI + phase)

async function seneca({ host, standard, clock }: Place): Promise<Plant> {
  const channels = () => [wave(clock, 32, 1.5), wave(clock, 41, 2, 1), wave(clock, 24, 1, 2), undefined]
  const gateway = new ModbusGateway(new Map([[1, senecaZ4rtd2(channels)]]), {
    host,
    port: standard ? modbusPort : 0,
    clock,
  })
  await gateway.listen()
  const names = { 1: 'supply pipe', 2: 'return pipe', 3: 'switch room' }
  return {
    device: {
      host,
      port: gateway.listener.port,
      unit: 1,
      library: 'sensor-seneca',
      model: 'Z-4RTD2',
      name: 'coolant temperatures',
      options: { channels: [1, 2, 3], names },
      ...nobody,
    },
    close: () => gateway.close(),
  }
}

async function climate({ host, standard, clock }: Place): Promise<Plant> {
  const unit = climateTransmitter(() => ({ tempC: wave(clock, 26, 2), humidityPct: wave(clock, 45, 6, 1) }))
  const gateway = new ModbusGateway(new Map([[1, unit]]), { host, port: standard ? modbusPort : 0, clock })
  await gateway.listen()
  const register = { function: 4, type: 'i16', scale: 0.1 }
  const readings = [
    { quantity: 'temperature', name: 'hall', address: 0, ...register },
    { quantity: 'humidity', name: 'hall', address: 1, ...register },
  ]
  return {
    device: {
      host,
      port: gateway.listener.port,
      unit: 1,
      library: 'sensor-generic',
      model: 'register map',
      name: 'hall climate',
      options: { readings },
      ...nobody,
    },
    close: () => gateway.close(),
  }
}

const makers: Readonly<Record<string, (place: Place) => Promise<Plant>>> = {
  wonderint: (place) => microbt('wonderint', place),
  kehua: (place) => microbt('kehua', place),
  hydro: (place) => antspace('hydro', place),
  immersion: (place) => antspace('immersion', place),
  bitdeer,
  meter,
  seneca,
  climate,
}

export const plantNames: readonly string[] = Object.keys(makers)

/** Reads `wonderint,meter`, or `all`. Throws BAD_REQUEST with the names that there are. */
export function parsePlant(text: string): readonly string[] {
  if (text === 'all') return plantNames
  const names = text.split(',').map((name) => name.trim())
  const wrong = names.find((name) => !Object.hasOwn(makers, name))
  if (wrong !== undefined)
    throw new SdkError(
      'BAD_REQUEST',
      `no plant named "${wrong}" is simulated; there are ${plantNames.join(', ')}, or all`,
    )
  return names
}

export interface PlantOptions {
  readonly names: readonly string[]
  /** An address for each, with standard ports; absent: all on one, with free ports. */
  readonly hosts?: readonly string[] | undefined
  readonly loadW: () => number
  readonly broker?: { readonly host: string; readonly port: number } | undefined
  readonly clock?: Clock
}

export interface RunningPlant {
  readonly devices: readonly SimulatedDevice[]
  close(): Promise<void>
}

const defaultBroker = { host: '127.0.0.1', port: 10_883 }

/** Containers, meters and sensors on real sockets. Throws what listening throws; then nothing stays open. */
export async function startPlant(options: PlantOptions): Promise<RunningPlant> {
  const { names, hosts, loadW, broker = defaultBroker, clock = systemClock } = options
  const running: Plant[] = []
  const close = async () => {
    await Promise.all(running.map((plant) => plant.close()))
  }
  try {
    for (const [index, name] of names.entries()) {
      const host = hosts?.[index] ?? '127.0.0.1'
      running.push(await makers[name]!({ host, standard: hosts !== undefined, clock, loadW, broker }))
    }
  } catch (error) {
    await close()
    throw error
  }
  return { devices: running.map(({ device }) => ({ ...device, simulated: true })), close }
}
