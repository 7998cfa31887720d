import {
  type Device,
  type Identification,
  type Io,
  identify,
  look,
  type Observation,
  type Replies,
  type Sessions,
  type Surroundings,
} from '#devices'
import { type Clock, type DeviceEntry, type Options, SdkError, toSdkError, withDeadline } from '#model'
import { knockAny } from '../sockets.js'
import { acceptsType } from './accepts.js'
import { accountsOf, type Secret } from './credentials.js'
import { forget, type Handle } from './handle.js'
import { optionsOf } from './options.js'
import { deadlineOf } from './pace.js'

/** What every visit of a worker needs. */
export interface Visitor {
  readonly candidates: readonly Device[]
  readonly deviceType: string | undefined
  readonly clock: Clock
  readonly secretOf: (id: string) => Secret | undefined
  /** What its devices keep open between visits. */
  readonly sessions: Sessions
  /** Of the worker's configuration: for every device that does not say otherwise itself. */
  readonly options: Options | undefined
  readonly said: { readonly library: string; readonly deviceType: string | undefined }
}

/** A device that failed so often is knocked at before it is asked, and recognised anew when it is back. */
const goneAfterFailures = 2
/** A device on the local network that is there accepts a connection within this. */
const knockMs = 1500

/**
 * One visit: knocks if the device was gone, recognises it if that is due, reads it. One of both is called, once; `failed` with DEVICE_UNKNOWN,
 * DEVICE_NOT_ACCEPTED, or what the reading threw.
 */
export function visit(
  visitor: Visitor,
  handle: Handle,
  done: (seen: Observation) => void,
  failed: (error: unknown) => void,
): void {
  const { device, failures, ending } = handle
  const signal = ending.enter()
  const end = <V>(tell: (outcome: V) => void) => {
    return (outcome: V) => {
      ending.leave()
      tell(outcome)
    }
  }
  const [seen, lost] = [end(done), end(failed)]
  if (device && failures < goneAfterFailures) read(visitor, handle, device, signal, seen, lost)
  else met(visitor, handle, signal).then((found) => read(visitor, handle, found, signal, seen, lost), lost)
}

async function met(visitor: Visitor, handle: Handle, signal: AbortSignal): Promise<Device> {
  if (handle.failures >= goneAfterFailures) {
    // One more connection to a gateway may be one too many, and who connects to us cannot be knocked at.
    if (visitor.candidates.some(({ reach }) => reach === undefined || reach === 'address')) {
      await knockAny(handle.entry.host, portsOf(visitor.candidates, handle.entry), knockMs, signal)
    }
    forget(handle)
  }
  return recognised(visitor, handle, signal)
}

function read(
  visitor: Visitor,
  handle: Handle,
  device: Device,
  signal: AbortSignal,
  done: (seen: Observation) => void,
  failed: (error: unknown) => void,
): void {
  const taken = visitor.deviceType === undefined ? done : ofTypeOnly(visitor, device, done, failed)
  try {
    const timeoutMs = deadlineOf(handle.pace, device.defaults.timeoutMs)
    look(device, worldOf(visitor, handle, device), signal, { previous: handle.replies, timeoutMs }, taken, failed)
  } catch (error) {
    failed(error)
  }
}

/** `done`, unless the device turns out to be of a type that the worker does not take. */
function ofTypeOnly(
  visitor: Visitor,
  device: Device,
  done: (seen: Observation) => void,
  failed: (error: unknown) => void,
): (seen: Observation) => void {
  return (seen) => {
    try {
      refuseOther(visitor, device, seen.telemetry.model, seen.telemetry.variant)
    } catch (error) {
      return failed(error)
    }
    done(seen)
  }
}

/** The definition of the device; recognises it if it is not known yet. */
export async function recognised(visitor: Visitor, handle: Handle, signal = handle.ending.signal): Promise<Device> {
  if (handle.device) return handle.device
  const candidates = ofType(visitor)
  const ms = deadlineOf(handle.pace, Math.max(...candidates.map((device) => device.defaults.timeoutMs)))
  const { device, match, seen, error } = await withDeadline<Identification>(
    ms,
    signal,
    (within) => identify(candidates, { ...surroundingsOf(visitor, handle, candidates), signal: within }),
    'DEVICE_TIMEOUT',
  )
  if (!device || !match) {
    throw error ?? new SdkError('DEVICE_UNKNOWN', `not a ${candidates[0]!.library}: ${seen.join('; ')}`)
  }
  refuseOther(visitor, device, match.model, match.variant)
  handle.device = device
  return device
}

/** Where the operator has named a type, only those who know it: devices that do not say what they are are told apart by that. */
function ofType({ candidates, deviceType }: Visitor): readonly Device[] {
  if (!deviceType) return candidates
  const known = candidates.filter(({ models }) => Object.keys(models).some((model) => acceptsType(deviceType, model)))
  return known.length > 0 ? known : candidates
}

function refuseOther({ deviceType }: Visitor, device: Device, model?: string, variant?: string) {
  if (acceptsType(deviceType, model, variant)) return
  throw new SdkError('DEVICE_NOT_ACCEPTED', `it is a ${device.make} ${model}, the worker takes ${deviceType}`)
}

/** What a recognised device may use of the world: made anew only when its entry or its account has changed. */
function worldOf(visitor: Visitor, handle: Handle, device: Device): Surroundings {
  const { entry, world } = handle
  const secret = visitor.secretOf(handle.id)
  if (world && world.device === device && world.entry === entry && world.secret === secret) return world.io
  const io = surroundingsOf(visitor, handle, [device])
  handle.world = { device, entry, secret, io }
  return io
}

/** For what is no visit in the device's turn: it ends with the device. */
export function ioFor(visitor: Visitor, handle: Handle, device: Device): Io {
  return { ...surroundingsOf(visitor, handle, [device]), signal: handle.ending.signal }
}

function surroundingsOf(visitor: Visitor, handle: Handle, devices: readonly Device[]): Surroundings {
  const { entry } = handle
  const secret = visitor.secretOf(handle.id)
  const [only, ...others] = devices
  return {
    host: entry.host,
    ports: portNames(visitor.candidates, entry),
    unit: entry.unit,
    // Without an account of the operator, which is usual, a visit has nothing to sort out.
    credentials: secret || !only || others.length > 0 ? accountsOf(secret, devices) : only.defaults.credentials,
    memory: handle.memory,
    clock: visitor.clock,
    // Who connects to us is waited for also between visits.
    ending: devices.some(({ reach }) => reach === 'named') ? handle.ending.signal : undefined,
    sessions: visitor.sessions,
    ...optionsOf(visitor.candidates, visitor.options, entry.options),
    said: visitor.said,
  }
}

/** `port` of an entry is the main port of its device: of the one whose usual port it is, else of whichever it turns out to be. */
function portNames(devices: readonly Device[], entry: DeviceEntry): Record<string, number> {
  const ports: Record<string, number> = {}
  const { port } = entry
  if (port !== undefined && !devices.some(({ mainPort }) => mainPort.default === port)) {
    for (const { mainPort } of devices) ports[mainPort.name] = port
  }
  return { ...ports, ...entry.ports }
}

function portsOf(candidates: readonly Device[], entry: DeviceEntry): number[] {
  const names = portNames(candidates, entry)
  return [...new Set(candidates.map(({ mainPort }) => names[mainPort.name] ?? mainPort.default))]
}

/**
 * Of a visit's replies those that the next one needs: what is asked rarely, and which ways are closed. The same as before if none of them
 * is new, as on most visits.
 */
export function lastingReplies(device: Device, replies: Replies, before: Replies = device.unread): Replies {
  let kept: Record<string, Replies[string]> | undefined
  for (const name in device.reads) {
    const read = device.reads[name]!
    const reply = replies[name]
    const lasts = reply && (read.everyMs > 0 || reply.error || read.insteadOf.length > 0) ? reply : undefined
    if (lasts === before[name]) continue
    kept ??= { ...before }
    kept[name] = lasts
  }
  return kept ?? before
}

export function failureOf(error: unknown): SdkError {
  return toSdkError(error, 'DEVICE_UNREACHABLE')
}
