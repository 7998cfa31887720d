import { timingSafeEqual } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import type { Aedes, Client } from 'aedes'
import { type Clock, SdkError } from '#model'
import type { Credentials } from '../io.js'

/** Who may connect: its name begins all its topics, and it shows its account or comes from its address. */
export interface Guest {
  /** What its topics begin with; without a slash after it. */
  readonly name: string
  /** What it may publish and subscribe, after its name. */
  readonly publishes: ReadonlySet<string>
  readonly subscribes: ReadonlySet<string>
  readonly account: Credentials | undefined
  /** An address from which it may connect without an account. */
  readonly address: string | undefined
}

/** The newest message of a topic. */
export interface Message {
  readonly at: number
  readonly payload: Buffer
}

/** A broker for devices that connect to us. Nobody else gets in, and nobody sees or says what is another's. */
export interface Broker {
  /** From now on this guest may connect, until the signal aborts or another of the same name takes its place. */
  expect(guest: Guest, ending: AbortSignal | undefined): void
  isConnected(name: string): boolean
  /** The newest message of the guest's topic; waits for the first one as long as the signal allows. */
  message(name: string, topic: string, signal: AbortSignal): Promise<Message>
  /** Says something to the guest. Throws DEVICE_UNREACHABLE if it is not connected: nothing is kept for later. */
  publish(name: string, topic: string, payload: string): Promise<void>
  close(): Promise<void>
}

/** Connections at once, each address's included; a message longer than this ends its connection. */
const maxConnections = 256
const maxMessageBytes = 256 * 1024
/** From connecting to the account being shown. */
const connectMs = 10_000
/** Topics of one guest are few; more than these are not kept. */
const keepaliveLimitS = 120

/** Opens the broker; it listens as soon as it can. What goes wrong with that is told to everybody who asks for a message. */
export function openBroker({
  host,
  port,
  clock,
}: {
  host: string
  port: number
  clock: Clock
}): Broker & { readonly port: Promise<number> } {
  const guests = new Map<string, Guest>()
  const messages = new Map<string, Message>()
  const clients = new Map<string, Client>()
  const waiting = new Set<() => void>()
  const sockets = new Set<Socket>()
  let broker: Aedes | undefined
  let server: Server | undefined
  let closed = false
  const guestOf = new WeakMap<Client, Guest>()
  const wake = () => {
    for (const each of [...waiting]) each()
  }

  const listening = start()
  listening.catch(wake)

  async function start(): Promise<number> {
    const { Aedes } = await import('aedes')
    if (closed) throw new SdkError('CANCELLED', 'the broker is closed')
    const made = new Aedes({
      connectTimeout: connectMs,
      keepaliveLimit: keepaliveLimitS,
      queueLimit: 64,
      maxClientsIdLength: 128,
      maxTopicLevels: 4,
      authenticate(client, username, password, done) {
        const guest = [...guests.values()].find((each) => mayConnect(each, username, password, addressOf(client)))
        if (!guest) return done(notAuthorized(), false)
        guestOf.set(client, guest)
        done(null, true)
      },
      authorizePublish(client, { topic }, done) {
        const guest = client && guestOf.get(client)
        done(guest && isOf(guest, topic, guest.publishes) ? null : new Error('not allowed'))
      },
      authorizeSubscribe(client, subscription, done) {
        const guest = guestOf.get(client)
        done(null, guest && isOf(guest, subscription.topic, guest.subscribes) ? subscription : null)
      },
    })
    await made.listen()
    broker = made
    made.on('clientReady', (client) => {
      const guest = guestOf.get(client)
      if (!guest) return
      const before = clients.get(guest.name)
      clients.set(guest.name, client)
      if (before && before !== client) before.close()
    })
    made.on('clientDisconnect', (client) => {
      const guest = guestOf.get(client)
      if (guest && clients.get(guest.name) === client) clients.delete(guest.name)
    })
    made.on('publish', ({ topic, payload }, client) => {
      if (!client) return
      messages.set(topic, { at: clock.now(), payload: Buffer.from(payload) })
      wake()
    })
    server = createServer((socket) => {
      if (sockets.size >= maxConnections) return void socket.destroy()
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
      limitMessages(socket)
      made.handle(socket)
    })
    const mine = server
    await new Promise<void>((resolve, reject) => {
      mine.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          new SdkError(
            error.code === 'EADDRINUSE' ? 'PORT_IN_USE' : 'UNAVAILABLE',
            `the broker cannot listen on ${host}:${port}: ${error.message}`,
          ),
        ),
      )
      mine.listen({ host, port }, resolve)
    })
    return (mine.address() as { port: number }).port
  }

  return {
    port: listening,
    expect(guest, ending) {
      const known = guests.get(guest.name)
      guests.set(guest.name, guest)
      if (known && sameGuest(known, guest)) return
      // Whoever was let in by what no longer holds has to show the new.
      if (known) clients.get(guest.name)?.close()
      ending?.addEventListener(
        'abort',
        () => {
          if (!sameGuest(guests.get(guest.name) ?? guest, guest)) return
          guests.delete(guest.name)
          clients.get(guest.name)?.close()
          for (const topic of guest.publishes) messages.delete(guest.name + topic)
        },
        { once: true },
      )
    },
    isConnected: (name) => clients.has(name),
    async message(name, topic, signal) {
      await listening
      for (;;) {
        const message = messages.get(name + topic)
        if (message) return message
        if (closed) throw new SdkError('CANCELLED', 'the broker is closed')
        if (signal.aborted) throw signal.reason
        await new Promise<void>((resolve) => {
          const end = () => {
            waiting.delete(end)
            signal.removeEventListener('abort', end)
            resolve()
          }
          waiting.add(end)
          signal.addEventListener('abort', end, { once: true })
        })
      }
    },
    async publish(name, topic, payload) {
      await listening
      if (!clients.has(name)) throw new SdkError('DEVICE_UNREACHABLE', `${name} is not connected`)
      const packet = { cmd: 'publish', qos: 0, retain: false, dup: false, topic: name + topic, payload } as const
      await new Promise<void>((resolve, reject) => {
        broker!.publish(packet, (error) => (error ? reject(error) : resolve()))
      })
    },
    async close() {
      closed = true
      wake()
      await listening.catch(() => {})
      for (const socket of sockets) socket.destroy()
      const gone = server?.listening ? new Promise<void>((resolve) => server!.close(() => resolve())) : undefined
      await new Promise<void>((resolve) => (broker ? broker.close(() => resolve()) : resolve()))
      await gone
    },
  }
}

function sameGuest(a: Guest, b: Guest): boolean {
  return (
    a.account?.username === b.account?.username &&
    a.account?.password === b.account?.password &&
    a.address === b.address
  )
}

function mayConnect(
  guest: Guest,
  username: string | undefined,
  password: Buffer | undefined,
  address: string,
): boolean {
  const { account } = guest
  if (account && username === account.username && password !== undefined && isEqual(password, account.password))
    return true
  return guest.address !== undefined && address === guest.address
}

function isEqual(given: Buffer, wanted: string): boolean {
  const known = Buffer.from(wanted)
  return known.length > 0 && given.length === known.length && timingSafeEqual(given, known)
}

function isOf(guest: Guest, topic: string, allowed: ReadonlySet<string>): boolean {
  return topic.startsWith(guest.name) && allowed.has(topic.slice(guest.name.length))
}

function addressOf(client: Client): string {
  return ((client.conn as Socket).remoteAddress ?? '').replace(/^::ffff:/, '')
}

function notAuthorized() {
  return Object.assign(new Error('not authorized'), { returnCode: 5 as never })
}

/** The broker's parser takes packets of any length: so the length in a packet's head is looked at before it gets there. */
function limitMessages(socket: Socket): void {
  let left = 0
  let head: number[] = []
  socket.prependListener('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      if (left > 0) {
        const taken = Math.min(left, chunk.length - at)
        left -= taken
        at += taken
        continue
      }
      head.push(chunk[at++]!)
      const last = head.at(-1)!
      if (head.length === 1 || (last & 0x80 && head.length < 5)) continue
      left = head.slice(1).reduce((length, byte, index) => length + (byte & 0x7f) * 128 ** index, 0)
      head = []
      if (left > maxMessageBytes) return void socket.destroy()
    }
  })
}
