import { connect, type Socket } from 'node:net'
import { type Clock, SdkError } from '#model'
import { dataOf, encodeFrame, type Frame, frameReader } from './modbus-frame.js'
import { abortError, socketError } from './tcp.js'

/** One connection to a gateway, for all units behind it. */
export interface ModbusSession {
  /** One request in its turn; answers the data of the reply. Throws SdkError, at the latest when the signal aborts. */
  ask(unit: number, pdu: Buffer, options: { signal: AbortSignal; gapMs: number }): Promise<Buffer>
  readonly stats: {
    readonly requests: number
    readonly strays: number
    readonly timeouts: number
    readonly connects: number
  }
  close(): void
}

export interface SessionLimits {
  readonly connectMs: number
  /** For one reply. */
  readonly replyMs: number
  /** Requests that may wait. */
  readonly queue: number
  /** After a failed connection none is tried for so long, doubled up to the longest. */
  readonly backoffMs: number
  readonly maxBackoffMs: number
  /** An unused connection is closed: gateways have few. */
  readonly idleMs: number
}

const defaults: SessionLimits = {
  connectMs: 3000,
  replyMs: 2000,
  queue: 512,
  backoffMs: 250,
  maxBackoffMs: 10_000,
  idleMs: 60_000,
}
/** So many replies missing in a row, and the connection is thought to be dead. */
const silentAfter = 3

interface Job {
  readonly unit: number
  readonly pdu: Buffer
  readonly gapMs: number
  readonly settle: (outcome: Buffer | SdkError) => void
  /** Nobody waits for it any more. */
  over: boolean
}

/**
 * Opens a session; the connection itself is made with the first request and again after it was lost. One request at a time: most gateways
 * bear no more, and a reply is taken only for the transaction it belongs to. Late, stray and split frames are survived.
 */
export function openModbus(
  { host, port, clock }: { host: string; port: number; clock: Clock },
  limits: Partial<SessionLimits> = {},
): ModbusSession {
  const { connectMs, replyMs, queue: maxQueue, backoffMs, maxBackoffMs, idleMs } = { ...defaults, ...limits }
  const stats = { requests: 0, strays: 0, timeouts: 0, connects: 0 }
  const queue: Job[] = []
  let socket: Socket | undefined
  let isOpen = false
  let closed = false
  let current: { job: Job; transaction: number } | undefined
  let transaction = 0
  let unanswered = 0
  let quietSince = Number.NEGATIVE_INFINITY
  let failures = 0
  let notBefore = 0
  let lastFailure: SdkError | undefined
  let stopTimer = () => {}
  let stopIdle = () => {}

  /** What is under way and what waits ends with the connection. */
  function lose(error: SdkError) {
    stopTimer()
    const lost = socket
    socket = undefined
    isOpen = false
    lost?.destroy()
    const jobs = [...(current ? [current.job] : []), ...queue.splice(0)]
    current = undefined
    for (const job of jobs) job.settle(error)
  }

  function dial() {
    const wait = notBefore - clock.hr()
    if (wait > 0 && lastFailure) {
      const text = `${lastFailure.message}; it is tried again in ${Math.ceil(wait / 1000)} s`
      return lose(new SdkError(lastFailure.code, text, { cause: lastFailure }))
    }
    stats.connects++
    const mine = connect({ host, port, noDelay: true, keepAlive: true })
    socket = mine
    const failed = (error: SdkError) => {
      if (socket !== mine) return
      if (!isOpen) {
        notBefore = clock.hr() + Math.min(maxBackoffMs, backoffMs * 2 ** failures++)
        lastFailure = error
      }
      lose(error)
    }
    const read = frameReader()
    stopTimer = clock.after(connectMs, () =>
      failed(new SdkError('DEVICE_UNREACHABLE', 'it takes no connection in time')),
    )
    mine.on('connect', () => {
      if (socket !== mine) return
      stopTimer()
      isOpen = true
      failures = 0
      unanswered = 0
      next()
    })
    mine.on('data', (chunk: Buffer) => {
      if (socket !== mine) return
      try {
        for (const frame of read(chunk)) take(frame)
      } catch (error) {
        failed(error as SdkError)
      }
    })
    mine.on('error', (error) => failed(socketError(error)))
    mine.on('close', () => failed(new SdkError('DEVICE_BUSY', 'it closed the connection without an answer')))
  }

  function take({ transaction: id, unit, pdu }: Frame) {
    if (!current || current.transaction !== id || current.job.unit !== unit) {
      stats.strays++
      return
    }
    const { job } = current
    stopTimer()
    current = undefined
    unanswered = 0
    quietSince = clock.hr()
    try {
      job.settle(dataOf(job.pdu, pdu))
    } catch (error) {
      job.settle(error as SdkError)
    }
    next()
  }

  function next() {
    if (current || !isOpen) return
    while (queue[0]?.over) queue.shift()
    const job = queue[0]
    if (!job) return
    const wait = quietSince + job.gapMs - clock.hr()
    if (wait > 0) {
      stopTimer()
      stopTimer = clock.after(Math.ceil(wait), next)
      return
    }
    queue.shift()
    transaction = (transaction % 0xffff) + 1
    current = { job, transaction }
    stats.requests++
    stopTimer = clock.after(replyMs, late)
    socket!.write(encodeFrame({ transaction, unit: job.unit, pdu: job.pdu }))
  }

  /** Its reply may still come, and is then a stray. */
  function late() {
    const job = current?.job
    current = undefined
    stats.timeouts++
    quietSince = clock.hr()
    job?.settle(new SdkError('DEVICE_TIMEOUT', `no reply within ${replyMs} ms`))
    if (++unanswered >= silentAfter) return lose(new SdkError('DEVICE_TIMEOUT', 'the gateway has fallen silent'))
    next()
  }

  function pump() {
    stopIdle()
    stopIdle = clock.after(idleMs, () => {
      if (!current && queue.length === 0) lose(new SdkError('CANCELLED'))
    })
    if (isOpen) next()
    else if (!socket) dial()
  }

  return {
    stats,
    ask(unit, pdu, { signal, gapMs }) {
      return new Promise((resolve, reject) => {
        if (closed) return reject(new SdkError('CANCELLED', 'the session is closed'))
        if (signal.aborted) return reject(abortError(signal, 0))
        if (queue.length >= maxQueue) {
          return reject(new SdkError('DEVICE_BUSY', `${maxQueue} requests wait for this gateway already`))
        }
        // What was sent keeps its turn until its reply or its deadline: the next request must not meet it on the wire.
        const onAbort = () => job.settle(abortError(signal, 0))
        const job: Job = {
          unit,
          pdu,
          gapMs,
          over: false,
          settle(outcome) {
            if (job.over) return
            job.over = true
            signal.removeEventListener('abort', onAbort)
            if (outcome instanceof SdkError) reject(outcome)
            else resolve(outcome)
          },
        }
        signal.addEventListener('abort', onAbort, { once: true })
        queue.push(job)
        pump()
      })
    },
    close() {
      closed = true
      stopIdle()
      lose(new SdkError('CANCELLED', 'the session is closed'))
    },
  }
}
