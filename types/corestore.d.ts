declare module 'corestore' {
  import type Hypercore from 'hypercore'

  export default class Corestore {
    constructor(path: string, options?: { allowBackup?: boolean })
    readonly storage: {
      /** Gives the space of what was cleared back to the disk. */
      compact(): Promise<void>
    }
    ready(): Promise<void>
    get(options: { name: string }): Hypercore
    close(): Promise<void>
  }
}
