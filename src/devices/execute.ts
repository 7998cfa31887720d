import { type CommandName, check, commands, type Receipt, SdkError, sleep, toSdkError } from '#model'
import type { Command, Device, Telemetry } from './define.js'
import type { Io } from './io.js'
import type { Observation } from './observation.js'
import { observe } from './observe.js'
import type { Replies } from './replies.js'

export interface ExecuteOptions {
  /** Of the last visit: saves asking again what changes rarely. */
  readonly previous?: Replies | undefined
  /** Checks all that can be checked, sends nothing. */
  readonly dryRun?: boolean
  /** Called once the device took the command, before the read-back. */
  readonly onSent?: () => void
  /** Every look at the device on the way, so that nobody has to ask again. */
  readonly onSeen?: (seen: Observation) => void
}

/** Waits between two looks at the device while a change has to show, ms; the last one repeats. */
const looksMs = [200, 400, 800, 1500, 2500, 4000]

/**
 * One command to one device: capability, input and the model's limits are checked before anything is sent; then it is sent, and the
 * device is read until it shows the change (`confirmed`) or the time for it has passed (`accepted`, with the reason). Refusal and failure throw.
 */
export async function execute(
  device: Device,
  io: Io,
  name: CommandName,
  params: unknown,
  options: ExecuteOptions = {},
): Promise<Receipt> {
  const command = device.commands[name] as Command | undefined
  if (!command) {
    throw new SdkError(
      'DEVICE_UNSUPPORTED',
      `${device.make} ${device.family} cannot do ${name}; it can do ${device.capabilities.join(', ')}`,
    )
  }
  const input = check(commands[name].input, params, `input of ${name}`) as never
  const before = await observe(device, io, { previous: options.previous, fresh: true })
  command.check?.(input, before.model ?? {}, before.telemetry)
  if (options.dryRun) return { state: 'accepted', reason: 'dry run: it would be sent, nothing was' }
  const result = await command.run(input, { io, model: before.model ?? {}, before: before.telemetry })
  options.onSent?.()
  const fetched = result === undefined ? {} : { result }
  if (!command.settled)
    return { state: 'accepted', reason: 'the device took it; nothing that can be read shows it', ...fetched }
  return { ...(await readBack(device, io, command, input, before, options.onSeen)), ...fetched }
}

async function readBack(
  device: Device,
  io: Io,
  command: Command,
  input: never,
  before: Observation,
  onSeen?: (seen: Observation) => void,
): Promise<Receipt> {
  const until = io.clock.hr() + command.settleMs
  let last: Telemetry | undefined
  let trouble = ''
  for (let look = 0; ; look++) {
    await sleep(io.clock, looksMs[Math.min(look, looksMs.length - 1)]!, io.signal)
    try {
      const seen = await observe(device, io, { previous: before.replies, fresh: true })
      onSeen?.(seen)
      last = seen.telemetry
      if (command.settled!(last, input, before.telemetry))
        return { state: 'confirmed', reason: 'read back from the device' }
      trouble = ''
    } catch (error) {
      // A device that restarts is away for a while: that is no failure of the command.
      io.signal.throwIfAborted()
      trouble = toSdkError(error, 'DEVICE_UNREACHABLE').message
    }
    if (io.clock.hr() >= until) break
  }
  const seconds = Math.round(command.settleMs / 1000)
  const state = trouble ? `it could not be read since (${trouble})` : 'it does not show the change yet'
  return { state: 'accepted', reason: `the device took it, but after ${seconds} s ${state}` }
}
