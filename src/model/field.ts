import type { Kind } from './kinds.js'

/**
 * A number that a device can report, one name and one unit (source: protocols/data-model.md §2, §3 and §5). Device modules convert at
 * their edge; nobody converts afterwards.
 */
export interface Field {
  readonly unit: string
  readonly title: string
  /** Grows only; a smaller value than before is a restart of the device. */
  readonly counter?: true
  /** How devices combine in a group: added up, averaged, the highest, or not at all. */
  readonly group: 'sum' | 'mean' | 'max' | 'none'
  /**
   * What one kind reports may be contained in what another does: the power of a container is that of its miners, and a meter sees both.
   * Only the first of these kinds that the group has is added up; so nothing is counted twice.
   */
  readonly firstOf?: readonly Kind[]
  /** Values outside are vendor sentinels (-1, 255, 65535 ...) and count as not reported. */
  readonly min?: number
  readonly max?: number
  /** Kinds whose values may be below zero: a meter counts what is fed into the grid so. */
  readonly signedFor?: readonly Kind[]
}
