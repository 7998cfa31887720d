import type { Device, Observation, Telemetry } from '#devices'
import { type DeviceRecord, type Event, offlineAfterFailures, type SdkError } from '#model'
import { isOutOfSockets } from '../sockets.js'
import { changedSettings, changesBetween, hasSameSettings, settingsOf } from './changes.js'
import { forget, type Handle } from './handle.js'
import { identified } from './identity.js'
import { answered, backoffOf, nextPlace, tooLate } from './pace.js'
import { recognise } from './recognise.js'
import { addressOf, failedRecord, type Pending, placed, readRecord, runningTime } from './record.js'
import { failureOf, lastingReplies, visit } from './visit.js'
import { isHere, type Worker } from './worker.js'

/** A device that could not be asked through no fault of its own is asked again after this, ms. */
const ownFaultMs = 1000
/** Devices that went away within this of one another probably come back together, ms. */
const togetherMs = 30_000
/** ... and are looked at within this, ms. */
const wakeWithinMs = 5000
/** Without an uptime to read, a restart counts as over after this, ms. */
const blindRestartMs = 60_000
/** Clocks of devices are a little off, ms. */
const uptimeSlackMs = 5000

/** A visit in the device's turn, and what follows from it. `done` learns when the device is due next (monotonic, ms). */
export function call(worker: Worker, handle: Handle, done: (due: number) => void): void {
  const askedAt = worker.clock.now()
  const fail = (error: unknown) => done(failed(worker, handle, failureOf(error), askedAt))
  const end = () => done(nextPlace(handle.pace, worker.clock.hr(), worker.intervalMs))
  visit(
    worker.visitor,
    handle,
    (seen) => {
      let recognising: Promise<void> | undefined
      try {
        recognising = succeeded(worker, handle, seen, askedAt)
      } catch (error) {
        return fail(error)
      }
      if (recognising) recognising.then(end, fail)
      else end()
    },
    fail,
  )
}

/** The same after those who wait for the device's turn already. */
export function callInTurn(worker: Worker, handle: Handle): Promise<number> {
  return handle.turns.run(() => new Promise((resolve) => call(worker, handle, resolve)))
}

/** Books what was read of a device, by a visit or on the way of a command; a promise only if it has to be recognised before. */
export function succeeded(
  worker: Worker,
  handle: Handle,
  seen: Observation,
  askedAt = worker.clock.now(),
): Promise<void> | undefined {
  const { device } = handle
  if (!device || !isHere(worker, handle)) return
  answered(handle.pace, seen.latencyMs)
  handle.replies = lastingReplies(device, seen.replies, handle.replies)
  handle.marks = identified(seen.telemetry, handle.marks)
  const { identity } = handle.marks
  if (identity === undefined || identity === handle.identity) return book(worker, handle, device, seen, askedAt)
  return recognise(worker, handle, identity, (other) => callInTurn(worker, other)).then((isIt) => {
    if (isIt) book(worker, handle, device, seen, askedAt)
  })
}

function book(worker: Worker, handle: Handle, device: Device, seen: Observation, askedAt: number): undefined {
  const { telemetry } = seen
  const { goneAt, failures } = handle
  const at = worker.clock.now()
  handle.failures = 0
  handle.goneAt = undefined
  if (handle.pending && isOver(handle.pending, telemetry, at, failures)) handle.pending = undefined
  // Its entry is in the record already; but only who knows the device knows its usual port.
  const isPlaced = handle.record.address === addressOf(worker.home, handle.entry, device)
  const before = isPlaced ? handle.record : placed(handle.record, worker.home, handle.entry, device)
  publish(worker, handle, readRecord(before, device, seen, { at, askedAt, pending: handle.pending }))
  if (goneAt !== undefined && failures >= offlineAfterFailures) wakeOthers(worker, goneAt)
  const { model } = handle.record
  if (before.model && model && before.model !== model) forget(handle)
}

function isOver(pending: Pending, telemetry: Telemetry, now: number, failures: number): boolean {
  if (now >= pending.until) return true
  const runningS = runningTime(telemetry)
  if (runningS === null) return failures > 0 || now - pending.since > blindRestartMs
  return runningS < (pending.runningS ?? 0) || runningS * 1000 < now - pending.since + uptimeSlackMs
}

/** One that is back is a sign for those that left with it: a switch, a container, a breaker. */
function wakeOthers(worker: Worker, goneAt: number) {
  const now = worker.clock.hr()
  for (const other of worker.handles.values()) {
    if (other.failures < offlineAfterFailures || other.goneAt === undefined) continue
    if (Math.abs(other.goneAt - goneAt) > togetherMs) continue
    worker.poller.sooner(other, now + Math.random() * wakeWithinMs)
  }
}

function failed(worker: Worker, handle: Handle, error: SdkError, askedAt: number): number {
  const { clock, counts } = worker
  if (!isHere(worker, handle) || handle.ending.ended) return clock.hr()
  if (isOutOfSockets(error)) {
    counts.outOfSockets++
    counts.lastOutOfSocketsAt = clock.hr()
    return clock.hr() + ownFaultMs
  }
  if (error.code === 'STORE_FAILED') {
    worker.log.error({ err: error, id: handle.id }, 'what was learned of a device could not be stored')
    return clock.hr() + ownFaultMs
  }
  counts.failures++
  handle.failures++
  handle.goneAt ??= clock.hr()
  if (error.code === 'DEVICE_TIMEOUT') tooLate(handle.pace)
  if (handle.pending && clock.now() >= handle.pending.until) handle.pending = undefined
  const record = failedRecord(handle.record, error, { failures: handle.failures, askedAt, pending: handle.pending })
  // The history of a device that stays away does not grow.
  if (record.status === handle.record.status && record.statusReason === handle.record.statusReason) {
    handle.record = record
  } else {
    publish(worker, handle, record)
  }
  return clock.hr() + backoffOf(handle.failures, error, worker.intervalMs, Math.random())
}

/** The device's new record, with the events that follow from it, into the store's next tick. */
export function publish(worker: Worker, handle: Handle, record: DeviceRecord, also: readonly Event[] = []): void {
  const at = worker.clock.now()
  const before = handle.record
  const events = [...also, ...changesBetween(before, record, at)]
  handle.record = record
  const isKnown = handle.settings !== undefined && hasSameSettings(before, record)
  const settings = record.at === null || isKnown ? undefined : settingsOf(record, handle.settings)
  const changed = settings && (handle.settings ? changedSettings(handle.settings, settings) : ['first'])
  if (!settings || changed?.length === 0) {
    worker.ticks.add({ record, events })
    return
  }
  if (handle.settings) {
    events.push({
      at,
      type: 'config',
      deviceId: record.id,
      message: `${record.name ?? record.id}: ${changed?.join(', ')} changed`,
      data: { changed, before: handle.settings, after: settings },
    })
  }
  handle.settings = settings
  worker.ticks.add({ record, events, settings: { at, settings } })
}
