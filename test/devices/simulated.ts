import type { Assertions } from 'brittle'
import { type Device, execute, type Io, identify, miners, type Observation, observe } from '#devices'
import type { CommandName, Receipt } from '#model'
import type { FarmOptions } from '#sim'
import { type OneMiner, oneMiner } from '../sim/farms.js'

/** So much of the miner's time passes at each turn of the event loop while a command looks for its effect, ms. */
const turnMs = 200

/** A simulated miner, the definition that its own answers led to, and its commands run to their end in the miner's time. */
export interface Operated extends OneMiner {
  readonly definition: Device
  readonly io: Io
  read(): Promise<Observation>
  command(name: CommandName, params?: unknown): Promise<Receipt>
}

export async function operated(t: Assertions, model: string, options: Partial<FarmOptions> = {}): Promise<Operated> {
  const miner = await oneMiner(t, model, options)
  const { host, ports = {}, username, password } = miner.device
  const io: Io = {
    host,
    ports,
    credentials: [{ username, password }],
    signal: new AbortController().signal,
    memory: new Map(),
    clock: miner.clock,
  }
  const { device: definition, seen } = await identify(miners, io)
  if (!definition) throw new Error(`${model} was not recognised: ${seen.join('; ')}`)
  return {
    ...miner,
    definition,
    io,
    read: () => whileTimePasses(miner, observe(definition, io)),
    command: (name, params = {}) => whileTimePasses(miner, execute(definition, io, name, params)),
  }
}

async function whileTimePasses<T>({ clock }: OneMiner, job: Promise<T>): Promise<T> {
  let isDone = false
  const end = () => {
    isDone = true
  }
  job.then(end, end)
  while (!isDone) {
    await new Promise<void>((resolve) => setTimeout(resolve, 2))
    if (!isDone) await clock.advance(turnMs)
  }
  return job
}
