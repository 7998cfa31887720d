import type { Assertions } from 'brittle'
import { type Farm, type FarmDevice, type FarmOptions, startFarm } from '#sim'
import { FakeClock } from '../support/fake-clock.js'

export interface OneMiner {
  readonly farm: Farm
  readonly device: FarmDevice
  readonly clock: FakeClock
  port(name: string): number
  /** Moves the clock and with it the miner's own time. */
  later(ms: number): Promise<void>
}

/** A farm of one model on free ports, with a clock that the test moves; closed after the test. */
export async function oneMiner(t: Assertions, model: string, options: Partial<FarmOptions> = {}): Promise<OneMiner> {
  const clock = new FakeClock()
  const farm = await startFarm({ miners: 1, mix: { [model]: 1 }, clock, seed: 11, ...options })
  t.teardown(() => farm.close())
  const device = farm.devices[0]!
  return { farm, device, clock, port: (name) => device.ports![name]!, later: (ms) => clock.advance(ms) }
}
