import { connect, type Socket } from 'node:net'
import { generate, type Packet, parser } from 'mqtt-packet'

export interface MqttClientOptions {
  readonly host: string
  readonly port: number
  readonly clientId: string
  readonly username?: string
  readonly password?: string
  readonly topics: readonly string[]
  readonly onMessage: (topic: string, payload: Buffer) => void
  /** Connected and subscribed. */
  readonly onReady: () => void
  /** Refused or lost; the reason in words. */
  readonly onEnd: (why: string) => void
}

/** As much of an MQTT client as a controller has: connect, subscribe, publish without acknowledgement. */
export class MqttClient {
  readonly #socket: Socket
  readonly #options: MqttClientOptions
  #ready = false
  #over = false

  constructor(options: MqttClientOptions) {
    this.#options = options
    this.#socket = connect({ host: options.host, port: options.port, noDelay: true })
    const read = parser()
    read.on('packet', (packet: Packet) => this.#take(packet))
    read.on('error', (error) => this.#end(error.message))
    this.#socket.on('connect', () => {
      const { clientId, username, password } = options
      this.#send({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clean: true,
        clientId,
        keepalive: 60,
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password: Buffer.from(password) }),
      })
    })
    this.#socket.on('data', (chunk) => void read.parse(chunk))
    this.#socket.on('error', (error) => this.#end(error.message))
    this.#socket.on('close', () => this.#end('the connection was closed'))
  }

  publish(topic: string, payload: string): void {
    if (this.#ready) this.#send({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false })
  }

  close(): void {
    this.#over = true
    this.#socket.destroy()
  }

  #send(packet: Packet): void {
    if (!this.#socket.destroyed) this.#socket.write(generate(packet))
  }

  #take(packet: Packet): void {
    const { topics, onReady, onMessage } = this.#options
    if (packet.cmd === 'connack') {
      const subscriptions = topics.map((topic) => ({ topic, qos: 0 as const }))
      if (packet.returnCode !== 0) this.#end(`refused with ${packet.returnCode}`)
      else this.#send({ cmd: 'subscribe', messageId: 1, subscriptions })
    } else if (packet.cmd === 'suback') {
      this.#ready = true
      onReady()
    } else if (packet.cmd === 'publish') {
      onMessage(packet.topic, Buffer.from(packet.payload))
    }
  }

  #end(why: string): void {
    this.#socket.destroy()
    if (this.#over) return
    this.#over = true
    this.#ready = false
    this.#options.onEnd(why)
  }
}
