import Hyperbee from 'hyperbee'
import type Hypercore from 'hypercore'

export type Volume = Hyperbee<Uint8Array>

/** After so many jobs a volume is opened anew: the cache of the old one, with all chunks that were read, is gone. */
const jobsPerOpening = 2000

interface Opened {
  readonly volume: Volume
  jobs: number
  users: number
}

export function openTable(log: Hypercore): Volume {
  return new Hyperbee(log, { keyEncoding: 'utf-8', valueEncoding: 'binary', extension: false })
}

/** The volumes of a store, each open while somebody uses it: jobs at the same time share what was read. */
export class Volumes {
  readonly #log: (name: string) => Hypercore
  readonly #open = new Map<string, Opened>()

  /** `log` opens a session of a log; it is closed with the volume. */
  constructor(log: (name: string) => Hypercore) {
    this.#log = log
  }

  async with<T>(name: string, job: (volume: Volume) => Promise<T>): Promise<T> {
    const opened = this.#open.get(name) ?? this.#opened(name)
    opened.users++
    if (++opened.jobs >= jobsPerOpening) this.#retire(name, opened)
    try {
      await opened.volume.ready()
      return await job(opened.volume)
    } finally {
      if (--opened.users === 0) {
        this.#retire(name, opened)
        await opened.volume.close()
      }
    }
  }

  #opened(name: string): Opened {
    const opened = { volume: openTable(this.#log(name)), jobs: 0, users: 0 }
    this.#open.set(name, opened)
    return opened
  }

  #retire(name: string, opened: Opened): void {
    if (this.#open.get(name) === opened) this.#open.delete(name)
  }
}
