import type { DeviceRecord, Event } from '#model'

export interface Deferred {
  promise: Promise<void>
  resolve: () => void
  reject: (error: unknown) => void
}

export function deferred(): Deferred {
  let resolve = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

/** A record of a miner that was read, with what the test is about. */
export function record(change: Partial<DeviceRecord> = {}): DeviceRecord {
  return {
    id: 'home.w.10.0.0.1',
    kind: 'miner',
    make: 'MicroBT',
    model: 'M56S',
    variant: null,
    firmware: { family: 'stock' },
    site: 'home',
    worker: 'w',
    address: '10.0.0.1:4028',
    name: null,
    tags: [],
    location: {},
    simulated: false,
    status: 'mining',
    statusReason: null,
    health: 'ok',
    at: 1000,
    askedAt: 1000,
    metrics: { hashrateThs: 100, powerW: 3000 },
    boards: [],
    fans: [],
    pools: [],
    errors: [],
    missing: {},
    capabilities: ['reboot', 'setLed'],
    ...change,
  }
}

export function kinds(events: readonly Event[]): string[] {
  return events.map(({ type }) => type)
}
