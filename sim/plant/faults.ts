/** What can be broken on simulated plant: containers, meters, sensors, pools. One of each kind at a time. */
export type PlantFault =
  /** Nobody listens, or it does not connect. */
  | { readonly kind: 'dead' }
  /** Takes connections and requests, never answers. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'slow'; readonly ms: number }
  /** Half an answer, then the connection closes. */
  | { readonly kind: 'half' }
  | { readonly kind: 'garbage' }
  /** Before each answer comes one that belongs to another transaction. */
  | { readonly kind: 'stray' }
  /** Every byte comes alone. */
  | { readonly kind: 'split' }
  /** The unit is not behind the gateway (Modbus exception 11). */
  | { readonly kind: 'unitGone'; readonly unit: number }
  | { readonly kind: 'refusedWrite' }
  /** Takes commands and does nothing. */
  | { readonly kind: 'ignoredWrite' }
  | { readonly kind: 'leak' }
  | { readonly kind: 'pumpFailed' }
  | { readonly kind: 'sensorBroken' }

export type PlantFaultKind = PlantFault['kind']

/** The faults of one simulated device. */
export class PlantFaults {
  readonly #faults = new Map<PlantFaultKind, PlantFault>()
  /** Called after every change. */
  onChange: () => unknown = () => {}

  has(kind: PlantFaultKind): boolean {
    return this.#faults.has(kind)
  }

  get<K extends PlantFaultKind>(kind: K): Extract<PlantFault, { kind: K }> | undefined {
    return this.#faults.get(kind) as Extract<PlantFault, { kind: K }> | undefined
  }

  async set(fault: PlantFault): Promise<void> {
    this.#faults.set(fault.kind, fault)
    await this.onChange()
  }

  async clear(kind?: PlantFaultKind): Promise<void> {
    if (kind) this.#faults.delete(kind)
    else this.#faults.clear()
    await this.onChange()
  }
}
