import type { Clock, Log } from '#model'
import type { Directory } from '#node'
import type { FleetView } from '#replication'
import type { Audit } from './audit.js'
import type { Authenticator } from './auth/authenticate.js'
import type { StreamHub } from './stream/hub.js'

/** All that the handlers have. None of it decides anything: reads come from the fleet, commands go to the services. */
export interface Gateway {
  readonly name: string
  readonly site: string
  readonly demo: boolean
  readonly clock: Clock
  readonly log: Log
  readonly directory: Directory
  readonly fleet: FleetView
  readonly auth: Authenticator
  readonly audit: Audit
  readonly stream: StreamHub
  /** Nothing can be changed through it but its own sessions and tokens. */
  readonly readOnly: boolean
  readonly startedAt: number
}
