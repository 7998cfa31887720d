import { observe } from '#devices'
import { errorInfo, redact } from '#model'
import type { deviceWorker, Handlers } from '#rpc'
import { libraries } from '../libraries.js'
import { call } from './book.js'
import { addDevices, removeDevice, updateDevice } from './change.js'
import { command } from './command.js'
import type { Handle } from './handle.js'
import { deadlineOf } from './pace.js'
import type { Requests } from './requests.js'
import { ioFor, recognised } from './visit.js'
import { handleOf, type Worker } from './worker.js'

/** What the worker answers (contract `device-worker`). */
export function handlers(worker: Worker, requests: Requests): Handlers<(typeof deviceWorker)['methods']> {
  return {
    describe: () => ({
      service: worker.name,
      site: worker.site,
      library: libraries(worker.visitor.candidates)[0]!,
      deviceType: worker.visitor.deviceType ?? null,
      devices: worker.handles.size,
      intervalMs: worker.intervalMs,
    }),
    device: ({ id }) => handleOf(worker, id).record,
    async poll({ id }) {
      const handle = handleOf(worker, id)
      const due = await handle.turns.run(() => call(worker, handle))
      worker.poller.at(handle, due)
      return handleOf(worker, id).record
    },
    raw: ({ id }) => rawReplies(worker, handleOf(worker, id)),
    addDevices: ({ entries }, { caller }) => addDevices(worker, entries, caller.id),
    updateDevice: ({ id, patch }, { caller }) => updateDevice(worker, handleOf(worker, id), patch, caller.id),
    async removeDevice({ id }, { caller }) {
      await removeDevice(worker, handleOf(worker, id), caller.id)
      return { id }
    },
    command: ({ id, command: name, params, requestId, dryRun }, { caller, signal }) =>
      command(worker, requests, handleOf(worker, id), {
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
    const { replies } = await observe(device, ioFor(worker.visitor, handle, [device]), {
      fresh: true,
      keepRaw: true,
      timeoutMs: deadlineOf(handle.pace, device.defaults.timeoutMs) * 2,
    })
    const shown = Object.entries(replies).map(([name, { raw, error }]) => [
      name,
      raw === undefined && error ? { error: errorInfo(error) } : redact(raw ?? null),
    ])
    return { id: handle.id, at: worker.clock.now(), replies: Object.fromEntries(shown) as Record<string, unknown> }
  })
}
