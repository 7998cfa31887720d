import type { Keep } from '#replication'
import type { Bootstrap } from '../environment.js'
import type { Sibling } from './siblings.js'

/** How a node takes part in its fleet. */
export interface MeshOptions {
  /** Which process of the storage folder this is; see `mainProcess`. */
  readonly process: string
  /** It keeps the fleet's record. */
  readonly aggregates?: boolean
  /** Other processes of this folder, which this one lets in. */
  readonly siblings?: readonly Sibling[]
  /** Default: as the fleet was made. */
  readonly bootstrap?: Bootstrap | undefined
  /** A DHT of the site alone beside it, so that its services meet while the way out is cut. */
  readonly site?: Bootstrap | undefined
  readonly port?: number | undefined
  readonly host?: string | undefined
  /** How much of the feeds of others is kept here; default `live`. */
  readonly keep?: Keep | undefined
  /** A copy of the record that is older is trusted for reading only, ms; default a week. */
  readonly maxRecordAgeMs?: number | undefined
  /** Passes on between members that find no direct way. */
  readonly relay?: boolean | undefined
}
