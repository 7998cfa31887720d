import { type Clock, type ErrorInfo, errorInfo, isErrorCode, type Receipt, SdkError } from '#model'
import type { LocalStore } from '#replication'

/** Makes sure that one request is carried out once, over restarts too. */
export interface Requests {
  /**
   * Runs `job` if the request was never seen, else answers what came of it. A request that was under way when the worker stopped is
   * refused with CONFLICT and `details.state: 'unknown'`; one id for two different requests with CONFLICT.
   */
  once(request: Request, job: () => Promise<Receipt>): Promise<Receipt>
}

export interface Request {
  readonly id: string
  readonly deviceId: string
  readonly command: string
}

interface Remembered extends Request {
  readonly at: number
  readonly slot: number
  readonly receipt?: Receipt
  readonly error?: ErrorInfo
}

/** So many requests are remembered, on the disk and in memory; the oldest is forgotten first. */
const maxRemembered = 4096
/** What was fetched from a device is only kept over a restart if it is short. */
const maxResultLength = 4096
const prefix = 'request/'

export async function openRequests(store: LocalStore, clock: Clock): Promise<Requests> {
  const stored = await store.listDocuments<Remembered>(prefix, { limit: maxRemembered })
  const remembered = new Map(
    stored
      .map(({ value }) => value)
      .sort((a, b) => a.at - b.at)
      .map((each) => [each.id, each]),
  )
  const running = new Map<string, Promise<Receipt>>()
  let nextSlot = stored.length < maxRemembered ? stored.length : ([...remembered.values()][0]?.slot ?? 0)

  const save = (each: Remembered) =>
    store.putDocument(`${prefix}${String(each.slot).padStart(5, '0')}`, { ...each, ...short(each.receipt) })

  async function run(request: Request, job: () => Promise<Receipt>): Promise<Receipt> {
    const begun: Remembered = { ...request, at: clock.now(), slot: nextSlot }
    nextSlot = (nextSlot + 1) % maxRemembered
    await save(begun)
    keep(begun)
    let ended: Remembered
    try {
      ended = { ...begun, receipt: await job() }
    } catch (error) {
      ended = { ...begun, error: errorInfo(error) }
    }
    keep(ended)
    // The device has it already: a store that fails now must not turn that into a failure.
    await save(ended).catch(() => {})
    return outcome(ended)
  }

  function keep(each: Remembered) {
    remembered.delete(each.id)
    remembered.set(each.id, each)
    for (const id of remembered.keys()) {
      if (remembered.size <= maxRemembered) break
      remembered.delete(id)
    }
  }

  return {
    async once(request, job) {
      const before = remembered.get(request.id)
      if (before && (before.deviceId !== request.deviceId || before.command !== request.command)) {
        throw new SdkError('CONFLICT', `the request ${request.id} was ${before.command} to ${before.deviceId}`)
      }
      const now = running.get(request.id)
      if (now) return now
      if (before) return outcome(before)
      const mine = run(request, job).finally(() => running.delete(request.id))
      running.set(request.id, mine)
      return mine
    },
  }
}

function outcome({ receipt, error, command }: Remembered): Receipt {
  if (receipt) return receipt
  if (error)
    throw new SdkError(isErrorCode(error.code) ? error.code : 'INTERNAL', error.message, { details: error.details })
  throw new SdkError(
    'CONFLICT',
    `the worker stopped while it sent ${command}; whether the device took it is not known`,
    {
      details: { state: 'unknown' },
    },
  )
}

function short(receipt: Receipt | undefined): { receipt?: Receipt } {
  if (!receipt) return {}
  const { result, ...rest } = receipt
  if (result === undefined) return { receipt }
  return (JSON.stringify(result) ?? '').length <= maxResultLength ? { receipt } : { receipt: rest }
}
