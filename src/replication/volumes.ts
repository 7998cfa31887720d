import type Corestore from 'corestore'
import Hyperbee from 'hyperbee'

export type Volume = Hyperbee<Uint8Array>

/** After so many jobs a volume is opened anew: the cache of the old one, with all chunks that were read, is gone. */
const jobsPerOpening = 2000

interface Opened {
  readonly volume: Volume
  jobs: number
  users: number
}

/** The volumes of a store, each open while somebody uses it: jobs at the same time share what was read. */
export class Volumes {
  readonly #cores: Corestore
  readonly #open = new Map<string, Opened>()

  constructor(cores: Corestore) {
    this.#cores = cores
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
    const core = this.#cores.get({ name })
    const volume: Volume = new Hyperbee(core, { keyEncoding: 'utf-8', valueEncoding: 'binary', extension: false })
    const opened = { volume, jobs: 0, users: 0 }
    this.#open.set(name, opened)
    return opened
  }

  #retire(name: string, opened: Opened): void {
    if (this.#open.get(name) === opened) this.#open.delete(name)
  }
}
