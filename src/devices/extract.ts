import { type ErrorInfo, errorInfo, inside, type SdkError } from '#model'
import { type Device, type FieldSources, isIdentity, type Model, type Read, type Telemetry } from './define.js'
import { finish } from './finish.js'
import type { Observation } from './observation.js'
import type { Replies } from './replies.js'

/** Every field out of the replies of a visit: the values, and for those whose read failed the reason. Runs on every poll. */
export function extract(device: Device, replies: Replies): Pick<Observation, 'telemetry' | 'missing' | 'model'> {
  const used = device.hasSecondWays ? usedReplies(device, replies) : replies
  const others: Record<string, unknown> = { ...device.unread }
  for (const name in used) others[name] = used[name]?.value
  const taking: Taking = { device, used, others, telemetry: { ...device.blank }, missing: {}, model: undefined }
  const { telemetry } = taking
  let known = false
  // Who it is comes first in the list: the row of its model is what the other fields are taken with.
  // By index: to iterate over a frozen list allocates at each step.
  const entries = device.telemetry
  for (let at = 0; at < entries.length; at++) {
    const entry = entries[at]!
    if (!known && !isIdentity(entry[0])) {
      known = true
      taking.model = telemetry.model === undefined ? undefined : device.modelOf(telemetry.model, telemetry.variant)
    }
    take(taking, entry)
  }
  return { telemetry: finish(telemetry, taking.model), missing: taking.missing, model: taking.model }
}

interface Taking {
  readonly device: Device
  readonly used: Replies
  readonly others: Readonly<Record<string, unknown>>
  readonly telemetry: Telemetry
  readonly missing: Record<string, ErrorInfo>
  model: Model | undefined
}

function take({ device, used, others, telemetry, missing, model = noFacts }: Taking, entry: FieldSources) {
  const field = entry[0]
  const sources = entry[1]
  const bounds = entry[2]
  let failed = false
  for (let at = 0; at < sources.length; at++) {
    const source = sources[at]!
    const reply = used[source.read]
    if (!reply) continue
    if (reply.error) {
      if (isExpected(device.reads[source.read]!, reply.error)) continue
      failed = true
      missing[field] ??= errorInfo(reply.error)
      continue
    }
    try {
      const value = source.take(reply.value as never, model, others as never)
      const reported = bounds ? inside(bounds, value) : value
      if (reported === undefined || reported === null || reported === '') continue
      ;(telemetry as Record<string, unknown>)[field] = reported
      if (failed) delete missing[field]
      return
    } catch (error) {
      failed = true
      missing[field] ??= errorInfo(error, 'DEVICE_BAD_REPLY')
    }
  }
}

const noFacts: Model = Object.freeze({})

/** What a second way said is out of date as soon as the first one works again. */
function usedReplies(device: Device, replies: Replies): Replies {
  const used: Record<string, Replies[string]> = { ...device.unread }
  for (const name in replies) {
    const ways = device.reads[name]?.insteadOf ?? []
    if (ways.length === 0 || ways.some((other) => replies[other]?.error !== undefined)) used[name] = replies[name]
  }
  return used
}

/** An optional read that this firmware does not have makes nothing missing. */
function isExpected(read: Read, error: SdkError): boolean {
  return read.optional && (error.code === 'DEVICE_UNSUPPORTED' || error.code === 'NOT_REPORTED')
}
