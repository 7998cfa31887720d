import { readFileSync } from 'node:fs'
import {
  type Device,
  devices,
  type Io,
  identify,
  type Observation,
  observe,
  openSessions,
  type Sessions,
} from '#devices'
import { type Options, systemClock } from '#model'
import { ModbusGateway, type ModbusUnit, unitOfBlocks } from '#sim'

export interface Closing {
  teardown(close: () => unknown): void
}

export interface Image {
  readonly functionCode: number
  readonly unitId: number
  readonly blocks: readonly { wireAddress: number; registers: number[] }[]
  readonly expected: Readonly<Record<string, unknown>>
}

export function imageOf(path: string): Image {
  return JSON.parse(readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8')) as Image
}

/** A gateway with these units, closed with the test. */
export async function gatewayOf(t: Closing, units: Readonly<Record<number, ModbusUnit>>): Promise<ModbusGateway> {
  const gateway = new ModbusGateway(new Map(Object.entries(units).map(([unit, each]) => [Number(unit), each])))
  await gateway.listen()
  t.teardown(() => gateway.close())
  return gateway
}

export function sessionsOf(t: Closing): Sessions {
  const sessions = openSessions()
  t.teardown(() => sessions.close())
  return sessions
}

/** What a worker of this library gives a device behind the port. */
export function ioOf(
  t: Closing,
  port: { readonly name: string; readonly number: number },
  rest: Partial<Io> & { library: string; deviceType?: string },
): Io {
  const { library, deviceType, options = {}, ...others } = rest
  return {
    host: '127.0.0.1',
    ports: { [port.name]: port.number },
    credentials: [],
    signal: new AbortController().signal,
    memory: new Map(),
    clock: systemClock,
    sessions: sessionsOf(t),
    options: { gapMs: 0, ...(options as Options) },
    said: { library, deviceType },
    ...others,
  }
}

export interface Said {
  readonly library: string
  readonly deviceType?: string
  readonly options?: Options
}

/** Recognises and reads a capture as a worker of its library does. */
export async function replayed(
  t: Closing,
  path: string,
  said: Said,
): Promise<{ device: Device; seen: Observation; image: Image }> {
  const image = imageOf(path)
  const gateway = await gatewayOf(t, { [image.unitId]: unitOfBlocks(image.blocks, image.functionCode) })
  const io = ioOf(t, { name: 'modbus', number: gateway.listener.port }, said)
  const { device, seen } = await identify(candidatesOf(said), io)
  if (!device) throw new Error(`not recognised: ${seen.join('; ')}`)
  return { device, seen: await observe(device, io), image }
}

function candidatesOf({ library, deviceType }: Said): readonly Device[] {
  const ofLibrary = devices.filter((device) => device.library === library)
  const ofType = ofLibrary.filter(({ models }) => deviceType && Object.hasOwn(models, deviceType))
  return ofType.length > 0 ? ofType : ofLibrary
}
