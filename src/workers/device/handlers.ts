import { observe } from '#devices'
import { errorInfo, redact } from '#model'
import { type Caller, type deviceWorker, type Handlers, mayAdd, mayTouch, mayUse } from '#rpc'
import { libraries } from '../libraries.js'
import { callInTurn } from './book.js'
import { addDevices, removeDevice, updateDevice } from './change.js'
import { command } from './command.js'
import type { Handle } from './handle.js'
import { deadlineOf } from './pace.js'
import type { Requests } from './requests.js'
import { ioFor, recognised } from './visit.js'
import { handleOf, type Worker } from './worker.js'

/** What the worker answers (contract `device-worker`). */
export function handlers(worker: Worker, requests: Requests): Handlers<(typeof deviceWorker)['methods']> {
  /** The device that a caller names, if the caller's limits name it. */
  const named = (id: string, caller: Caller) => {
    mayTouch(caller, { library: worker.library, id })
    return handleOf(worker, id)
  }
  return {
    describe(_, { caller }) {
      mayUse(caller, worker.library)
      return {
        service: worker.name,
        site: worker.site,
        library: libraries(worker.visitor.candidates)[0]!,
        deviceType: worker.visitor.deviceType ?? null,
        devices: worker.handles.size,
        intervalMs: worker.intervalMs,
      }
    },
    device: ({ id }, { caller }) => named(id, caller).record,
    async poll({ id }, { caller }) {
      const handle = named(id, caller)
      const due = await callInTurn(worker, handle)
      worker.poller.at(handle, due)
      return handleOf(worker, id).record
    },
    raw: ({ id }, { caller }) => rawReplies(worker, named(id, caller)),
    addDevices({ entries }, { caller }) {
      mayAdd(caller, worker.library)
      return addDevices(worker, entries, caller.id)
    },
    updateDevice: ({ id, patch }, { caller }) => updateDevice(worker, named(id, caller), patch, caller.id),
    async removeDevice({ id }, { caller }) {
      await removeDevice(worker, named(id, caller), caller.id)
      return { id }
    },
    command: ({ id, command: name, params, requestId, dryRun }, { caller, signal }) =>
      command(worker, requests, named(id, caller), {
        command: name,
        params,
        requestId,
        dryRun: dryRun ?? false,
        by: caller.id,
        signal,
      }),
  }
}

/** The vendor's replies, read now; what failed stands there with its reason. */
async function rawReplies(worker: Worker, handle: Handle) {
  return handle.turns.run(async () => {
    const device = await recognised(worker.visitor, handle)
    const { replies } = await observe(device, ioFor(worker.visitor, handle, device), {
      fresh: true,
      keepRaw: true,
      timeoutMs: deadlineOf(handle.pace, device.defaults.timeoutMs) * 2,
    })
    const shown = Object.entries(replies).flatMap(([name, reply]) =>
      reply
        ? [
            [
              name,
              reply.raw === undefined && reply.error ? { error: errorInfo(reply.error) } : redact(reply.raw ?? null),
            ],
          ]
        : [],
    )
    return { id: handle.id, at: worker.clock.now(), replies: Object.fromEntries(shown) as Record<string, unknown> }
  })
}
