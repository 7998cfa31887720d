import type { Hardware } from './hardware.js'
import type { MachineOptions } from './machine.js'
import type { Simulator } from './server.js'

/** One kind of device that a farm can have: who it is to the worker, and how it is made. */
export interface Breed {
  /** The short name of its library, which a mix may name. */
  readonly family: string
  readonly library: string
  readonly model: string
  /** The door that `port` of a device entry means. */
  readonly mainDoor: string
  readonly credentials: { readonly username: string; readonly password: string }
  readonly make: (options: MachineOptions) => Simulator
}

/** The breeds of a family, one a row. */
export function breedsFrom<H extends Hardware>(
  rows: readonly H[],
  common: Omit<Breed, 'library' | 'model' | 'make'>,
  make: (row: H, options: MachineOptions) => Simulator,
): Breed[] {
  return rows.map((row) => ({
    ...common,
    library: `miner-${common.family}`,
    model: row.model,
    make: (options) => make(row, options),
  }))
}
