import { SdkError, toSdkError, withDeadline } from '#model'
import type { Io, PortName, Protocol, Reply } from '../io.js'
import { withSession } from '../sessions.js'
import { type Fields, fields, parseJson } from './json.js'
import { type Broker, openBroker } from './mqtt-broker.js'

/** Containers that connect to us: we are the broker, on loopback unless the operator names another address. */
export const mqttPort: PortName = { name: 'mqtt', default: 10883 }
const defaultBind = '127.0.0.1'

/** Data come every 5 s: one that is older than this says nothing of now. ms. */
const staleMs = 30_000
/** A container that is connected sends each topic within this, ms. */
const firstMs = 8000

export interface Topics {
  readonly publishes: ReadonlySet<string>
  readonly subscribes: ReadonlySet<string>
}

interface Settings {
  readonly bind?: string
  readonly port?: number
  readonly container?: string
  readonly address?: string
}

/** What the container's topics begin with. */
export function containerName(io: Io): string {
  return (io.options as Settings | undefined)?.container ?? io.host
}

/** Talks by way of the broker; the container is expected there from now on. */
export function withBroker<T>(io: Io, topics: Topics, talk: (broker: Broker, name: string) => Promise<T>): Promise<T> {
  const {
    bind = defaultBind,
    port = io.ports[mqttPort.name] ?? mqttPort.default,
    address,
  } = (io.options ?? {}) as Settings
  const name = containerName(io)
  const account = io.credentials.find(({ password }) => password !== '')
  if (!account && address === undefined)
    throw new SdkError(
      'DEVICE_AUTH',
      `${name} has no account at the broker: set its password, or options.address to let it in by its address`,
    )
  const open = () => openBroker({ host: bind, port, clock: io.clock })
  return withSession(io.sessions, `mqtt ${bind}:${port}`, open, (broker) => {
    const username = account?.username || name
    broker.expect({ name, ...topics, account: account && { username, password: account.password }, address }, io.ending)
    return talk(broker, name)
  })
}

/** A request is a topic; the answer its newest message, parsed. */
export function mqttContainer(topics: Topics): Protocol<string> {
  return {
    name: 'mqtt',
    port: mqttPort,
    async ask(io, requests) {
      try {
        return await withBroker(io, topics, (broker, name) =>
          Promise.all(requests.map((topic) => newest(broker, name, topic, io))),
        )
      } catch (error) {
        const failure = toSdkError(error, 'DEVICE_UNREACHABLE')
        return requests.map(() => ({ error: failure }))
      }
    },
  }
}

async function newest(broker: Broker, name: string, topic: string, io: Io): Promise<Reply> {
  try {
    return { value: await latest(broker, name, topic, io) }
  } catch (error) {
    return { error: toSdkError(error, 'DEVICE_UNREACHABLE') }
  }
}

/** Throws DEVICE_UNREACHABLE with whether it is connected at all. */
export async function latest(broker: Broker, name: string, topic: string, io: Io): Promise<Fields> {
  const message = await withDeadline(firstMs, io.signal, (signal) => broker.message(name, topic, signal)).catch(
    (error) => {
      const { code, message: text } = toSdkError(error)
      if (code !== 'TIMEOUT') throw error
      const why = broker.isConnected(name)
        ? `is connected, but has sent no ${topic}`
        : 'has not connected to the broker'
      throw new SdkError('DEVICE_UNREACHABLE', `${name} ${why}`, { cause: text })
    },
  )
  const age = io.clock.now() - message.at
  if (age > staleMs)
    throw new SdkError('DEVICE_UNREACHABLE', `${name} has sent no ${topic} for ${Math.round(age / 1000)} s`)
  return fields(parseJson(message.payload))
}
