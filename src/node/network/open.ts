import { randomBytes } from 'node:crypto'
import HyperDHT from 'hyperdht'
import { type Key, keyOf } from '#keys'
import { SdkError } from '#model'
import { areAllPrivate, parseAddress } from './addresses.js'
import { diagnose } from './diagnose.js'
import { type Door, openDoor } from './door.js'
import { joinLocalDht, type LocalDht } from './local.js'
import type { Network } from './network.js'
import type { NetworkOptions, Place } from './options.js'
import { createPeers } from './peers.js'
import { createReach, failureOf } from './reach.js'
import { createRedial } from './redial.js'
import { createRefusals, found } from './refusals.js'
import { createRpcFace } from './rpc-face.js'
import { defaultTimings, type Timings } from './timings.js'
import { topicOf } from './topic.js'
import { openWire, type Wire, type WireOptions } from './wire.js'

const defaultMaxPeers = 4_096

/** See `openNetwork`. A file of its own, so that a node without a network does not load the stack. */
export async function open(options: NetworkOptions): Promise<Network> {
  const { keyPair, announce, clock, log, signal, maxPeers = defaultMaxPeers } = options
  signal?.throwIfAborted()
  const timings: Timings = { ...defaultTimings, ...options.timings }
  const ownKey = keyOf(keyPair)
  const refusals = createRefusals(options.onRefused)
  const wires: Wire[] = []
  const locals: LocalDht[] = []
  const doors = new Set<Door>()
  const bootstraps = new Map<Wire['place'], readonly string[]>()
  let isPublic = false
  let topic: Uint8Array | undefined
  let suspended = false
  let closing: Promise<void> | undefined
  let stopTick = () => {}
  const stopOverlaps = new Set<() => void>()

  /** undefined: it may come. */
  const refusal = (key: Key): string | undefined => {
    let verdict: boolean | string
    try {
      verdict = options.admits(key)
    } catch (error) {
      log.error({ err: error }, 'who may come in cannot be found out: nobody does')
      return 'error'
    }
    return verdict === true ? undefined : verdict === false ? 'unknown' : verdict
  }
  const refuses = (key: Key, calling: boolean): boolean => {
    const full = () => (peers.size >= maxPeers && !peers.get(key) ? 'full' : peers.tooMany(key))
    const reason = refusal(key) ?? (calling ? undefined : full())
    if (reason !== undefined) refusals.count(calling ? found : reason, key)
    return reason !== undefined
  }

  const peers = createPeers({
    ownKey,
    hello: { instance: randomBytes(8).toString('hex'), relay: options.relay?.serve && keyOf(options.relay.serve) },
    clock,
    log,
    timings,
    refusals,
    onUp({ key, wire }) {
      redial.up(key)
      // Neither wire calls it back by itself: we do, on both.
      wire.forget(key)
    },
    onDown(link, silent) {
      for (const wire of wires) wire.callBack(link.key, true)
      if (closing || suspended) return
      if (silent) redial.unrest()
      if (refusal(link.key) === undefined && (link.stream.isInitiator || redial.holds(link.key))) redial.lost(link.key)
    },
  })
  const refresh = () => {
    for (const wire of wires) wire.refresh()
  }
  const redial = createRedial({
    clock,
    random: Math.random,
    timings,
    maxKeys: maxPeers,
    wants: (key) => !suspended && !peers.get(key) && refusal(key) === undefined,
    dial: (key) => {
      for (const wire of wires) wire.dial(key)
    },
    isUp: (key) => peers.get(key) !== undefined,
    isLonely: () => peers.size === 0 && topic !== undefined && !suspended,
    refresh,
  })
  const reach = createReach({ peers, wires, clock, timings, refuses: refusal })

  const openPlace = async (name: Wire['place'], place: Place): Promise<void> => {
    const { bootstrap } = place
    isPublic ||= bootstrap === 'public'
    const local = bootstrap === 'local' ? await openLocal(name) : undefined
    const addresses = local ? local.addresses : bootstrap === 'public' ? HyperDHT.BOOTSTRAP : (bootstrap as string[])
    for (const address of addresses) parseAddress(address)
    bootstraps.set(name, addresses)
    const wire: WireOptions = {
      place: name,
      bootstrap: addresses,
      host: local ? '127.0.0.1' : place.host,
      port: place.port,
      flat: place.flat ?? (local !== undefined || (bootstrap !== 'public' && (await areAllPrivate(addresses)))),
      keyPair,
      announce,
      relay: name === 'main' ? options.relay : undefined,
      maxPeers,
      timings,
      clock,
      log,
      refuses,
      onStream: (from, stream) => peers.add(from, stream),
      onFailure(from, key, code) {
        if (!peers.get(key)) from.forget(key)
        reach.failed(from, key, failureOf(code))
      },
    }
    wires.push(await openWire(wire))
  }

  const openLocal = async (name: Wire['place']): Promise<LocalDht> => {
    if (options.folder === undefined) {
      throw new SdkError('CONFIG_INVALID', 'a local DHT needs the folder that its processes share', {
        details: { path: 'storage' },
      })
    }
    const local = await joinLocalDht({
      folder: options.folder,
      clock,
      random: Math.random,
      log,
      timings,
      onMoved(addresses) {
        bootstraps.set(name, addresses)
        const wire = wires.find((each) => each.place === name)
        for (const address of addresses) wire?.dht.addNode(parseAddress(address))
        wire?.refresh()
      },
    })
    locals.push(local)
    return local
  }

  const tick = () => {
    peers.tick()
    redial.tick()
    for (const door of doors) door.tick()
    stopTick = clock.after(timings.tickMs, tick)
  }
  let stopAnnouncing = () => {}
  const announceAgain = () => {
    refresh()
    stopAnnouncing = clock.after(timings.announceMs, announceAgain)
  }

  let stopLooking = () => {}
  const meetOn = (next: Uint8Array) => {
    if (topic && keyOf({ publicKey: topic }) === keyOf({ publicKey: next })) return
    const before = topic
    topic = next
    for (const wire of wires) wire.join(next)
    stopLooking()
    if (announce) stopLooking = clock.after(timings.lookAgainMs, refresh)
    if (!before) return
    const stop = clock.after(timings.overlapMs, () => {
      stopOverlaps.delete(stop)
      // Unless it has come back meanwhile.
      if (topic !== before) for (const wire of wires) wire.leave(before)
    })
    stopOverlaps.add(stop)
  }

  const close = () => {
    closing ??= (async () => {
      signal?.removeEventListener('abort', close)
      stopTick()
      stopAnnouncing()
      stopLooking()
      for (const stop of stopOverlaps) stop()
      reach.close()
      peers.close()
      await Promise.all([...doors].map((door) => door.close()))
      await Promise.all(wires.map((wire) => wire.close()))
      await Promise.all(locals.map((local) => local.close()))
    })()
    return closing
  }

  try {
    await openPlace('main', options)
    if (options.site) await openPlace('site', options.site)
  } catch (error) {
    await close()
    throw error
  }
  signal?.addEventListener('abort', close, { once: true })
  if (options.topic) meetOn(options.topic)
  stopTick = clock.after(timings.tickMs, tick)
  if (announce && !(isPublic && wires.length === 1)) stopAnnouncing = clock.after(timings.announceMs, announceAgain)

  return {
    key: ownKey,
    dht: createRpcFace({ keyPair, peers, reach }),
    peers: () => peers.list(),
    peer: (key) => peers.describe(key),
    async connect(key, { signal: stop } = {}) {
      await reach(key, { signal: stop })
      const peer = peers.describe(key)
      if (!peer) throw new SdkError('UNAVAILABLE', 'the peer was here and is gone again')
      return peer
    },
    joinPeer: (key) => redial.hold(key),
    leavePeer(key) {
      redial.release(key)
    },
    onPeer: (listener) => peers.onPeer(listener),
    admit(key) {
      for (const wire of wires) wire.callBack(key, true)
      redial.again(key)
    },
    drop(key) {
      const relay = peers.get(key)?.relay
      peers.drop(key, 'dropped')
      for (const wire of wires) wire.drop(key, relay)
    },
    setTopic: (secret, epoch) => meetOn(topicOf(secret, epoch)),
    async flushed() {
      await Promise.all(wires.map((wire) => wire.flushed()))
    },
    listen(listener, doorOptions) {
      const door = openDoor(wires, listener, doorOptions)
      doors.add(door)
      return {
        close() {
          doors.delete(door)
          return door.close()
        },
      }
    },
    bootstrap: () => (isPublic ? [] : (bootstraps.get('main') ?? [])),
    refusals: () => refusals.all(),
    diagnose: (key) =>
      diagnose(
        {
          ownKey,
          wires,
          bootstrapOf: (wire) => bootstraps.get(wire.place) ?? [],
          peers,
          reach,
          refuses: refusal,
          clock,
        },
        key,
      ),
    async suspend() {
      suspended = true
      await Promise.all(wires.map((wire) => wire.suspend()))
    },
    async resume() {
      await Promise.all(wires.map((wire) => wire.resume()))
      suspended = false
      redial.unrest()
    },
    close,
  }
}
