import { execute } from '#devices'
import { type CommandInput, type CommandName, type Event, type Receipt, redact, SdkError } from '#model'
import { publish, succeeded } from './book.js'
import { forget, type Handle } from './handle.js'
import { inventoryEvent } from './inventory.js'
import { reasonOf, runningTime } from './record.js'
import type { Requests } from './requests.js'
import { failureOf, ioFor, recognised } from './visit.js'
import { isHere, reenter, type Worker } from './worker.js'

export interface Order {
  readonly command: CommandName
  readonly params: Record<string, unknown>
  readonly requestId: string
  readonly dryRun: boolean
  /** Who wants it; stands in the event. */
  readonly by: string
  /** Ends the wait for the device's turn; what was begun is carried through. */
  readonly signal: AbortSignal
}

/** Commands after which a device is away for a while: what it is called then, and how long at most, ms. */
const restarts: { readonly [N in CommandName]?: { status: 'rebooting' | 'updating'; ms: number } } = {
  reboot: { status: 'rebooting', ms: 600_000 },
  factoryReset: { status: 'rebooting', ms: 900_000 },
  setNetwork: { status: 'rebooting', ms: 300_000 },
  updateFirmware: { status: 'updating', ms: 1_800_000 },
}

/**
 * One command to one device, in its turn. The same request is never carried out twice. Throws what the device refused or why it could not
 * be reached; every real one becomes an event.
 */
export function command(worker: Worker, requests: Requests, handle: Handle, order: Order): Promise<Receipt> {
  const inTurn = () => handle.turns.run(() => carryOut(worker, handle, order))
  if (order.dryRun) return inTurn()
  return requests.once({ id: order.requestId, deviceId: handle.id, command: order.command }, async () => {
    worker.counts.commands++
    try {
      const receipt = await inTurn()
      tell(worker, handle, order, receipt.state, receipt.reason)
      await follow(worker, handle, order)
      return receipt
    } catch (error) {
      const failure = failureOf(error)
      tell(worker, handle, order, 'failed', failure.message, failure.code)
      throw failure
    } finally {
      if (isHere(worker, handle)) worker.poller.soon(handle)
    }
  })
}

async function carryOut(worker: Worker, handle: Handle, order: Order): Promise<Receipt> {
  if (!isHere(worker, handle)) throw new SdkError('NOT_FOUND', `${handle.id} was removed`)
  order.signal.throwIfAborted()
  const device = await recognised(worker.visitor, handle)
  const seen: (Promise<void> | undefined)[] = []
  const receipt = await execute(device, ioFor(worker.visitor, handle, device), order.command, order.params, {
    previous: handle.replies,
    dryRun: order.dryRun,
    onSent: () => sent(worker, handle, order.command),
    onSeen: (observation) => seen.push(succeeded(worker, handle, observation)),
  })
  await Promise.all(seen)
  if (receipt.state === 'confirmed') handle.pending = undefined
  return receipt.result === undefined ? receipt : { ...receipt, result: redact(receipt.result) }
}

/** The device took it: from now on its silence is no failure. */
function sent(worker: Worker, handle: Handle, name: CommandName) {
  const restart = restarts[name]
  if (!restart || !isHere(worker, handle)) return
  const since = worker.clock.now()
  handle.pending = {
    status: restart.status,
    since,
    runningS: runningTime(handle.record.metrics),
    until: since + restart.ms,
  }
  const { status } = restart
  publish(worker, handle, { ...handle.record, status, statusReason: reasonOf(status, []) })
}

function tell(worker: Worker, handle: Handle, order: Order, state: string, reason?: string, code?: string) {
  const { command: name, requestId, by } = order
  const why = reason ? `: ${reason}` : ''
  const event: Event = {
    at: worker.clock.now(),
    type: 'command',
    deviceId: handle.id,
    message: `${name} of ${handle.record.name ?? handle.id} ${state}${why}`,
    data: {
      command: name,
      params: redact(order.params),
      state,
      requestId,
      by,
      ...(reason ? { reason } : {}),
      ...(code ? { code } : {}),
    },
  }
  worker.ticks.add({ events: [event] })
}

/** What a command changes about how the device is reached. */
async function follow(worker: Worker, handle: Handle, { command: name, params }: Order): Promise<void> {
  if (!isHere(worker, handle)) return
  if (name === 'setPassword') {
    const { password, account } = params as CommandInput<'setPassword'>
    const known = worker.secrets.get(handle.id)
    if (account !== undefined && known?.username !== undefined && account !== known.username) return
    const username = known?.username ?? account
    await worker.secrets.set(handle.id, { ...(username === undefined ? {} : { username }), password })
    handle.memory.clear()
  }
  if (name === 'setNetwork') {
    const network = params as CommandInput<'setNetwork'>
    if (network.dhcp || network.ip === handle.entry.host) return
    const entry = { ...handle.entry, host: network.ip }
    const text = `${handle.id} moved from ${handle.entry.host} to ${network.ip}`
    const data = { change: 'moved', from: handle.entry.host, to: network.ip }
    forget(handle)
    reenter(worker, handle, entry)
    await worker.store.putEntry(handle.id, entry, [inventoryEvent(handle.id, text, data, worker.clock.now())])
  }
}
