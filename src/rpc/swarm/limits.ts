/** What one server grants. */
export interface ServerLimits {
  /** Calls of one peer at work at once. */
  readonly callsInFlight: number
  /** Calls of one peer that wait for their turn; more are refused. */
  readonly callsQueued: number
  /** Calls of all peers at work at once. */
  readonly callsInFlightOfAll: number
  /** Calls of one peer a second in the long run, and so many at once after a pause. */
  readonly callsPerSecond: number
  readonly callsBurst: number
  /** One request. */
  readonly requestBytes: number
  /** Requests of one peer in memory. */
  readonly heldBytes: number
  /** Replies to one peer that it has not taken; then its connection ends. */
  readonly backlogBytes: number
  /** Connections of all peers, and of one: a further one takes the place of its oldest. */
  readonly connections: number
  readonly connectionsPerKey: number
  /** New connections of one peer a minute. */
  readonly connectsPerMinute: number
  /** From the connection to the opening of RPC on it; only where the connection is for RPC alone. */
  readonly openMs: number
  /** Without any call; only where the connection is for RPC alone. */
  readonly idleMs: number
  /** From the beginning of a message to its end; only where the connection is for RPC alone. */
  readonly messageMs: number
  /** Nothing heard of a peer whose calls are at work: they end. */
  readonly silentMs: number
  /** How long a call may be at work, whatever its own deadline is. */
  readonly callMs: number
}

/** What one pool takes and gives. */
export interface PoolLimits {
  /** Calls to one peer under way at once. */
  readonly callsInFlight: number
  /** Calls to one peer that wait for their turn; more are refused. */
  readonly callsQueued: number
  /** From the first attempt to the channel's opening by the far side. */
  readonly connectMs: number
  /** The same for a query that is asked once more after its connection was lost. */
  readonly reconnectMs: number
  /** After a failed attempt, doubled up to the maximum. */
  readonly backoffMs: number
  readonly maxBackoffMs: number
  /** One message from a peer; only where the connection is for RPC alone. */
  readonly replyBytes: number
  /** Without any call, unwatched. */
  readonly idleMs: number
  /** How often a peer that is asked or watched is looked after. */
  readonly pulseMs: number
  /** Nothing heard for so long: it is pinged. */
  readonly pingMs: number
  /** Nothing heard for so long: it is lost. */
  readonly silentMs: number
}

const MiB = 1024 * 1024

export const serverLimits: ServerLimits = {
  callsInFlight: 64,
  callsQueued: 256,
  callsInFlightOfAll: 1024,
  callsPerSecond: 5000,
  callsBurst: 10_000,
  requestBytes: 8 * MiB + 1024,
  heldBytes: 32 * MiB,
  backlogBytes: 64 * MiB,
  connections: 1024,
  connectionsPerKey: 4,
  connectsPerMinute: 120,
  openMs: 10_000,
  idleMs: 900_000,
  messageMs: 30_000,
  silentMs: 5000,
  callMs: 610_000,
}

export const poolLimits: PoolLimits = {
  callsInFlight: 64,
  callsQueued: 4096,
  connectMs: 5000,
  reconnectMs: 600,
  backoffMs: 100,
  maxBackoffMs: 2000,
  replyBytes: 9 * MiB,
  idleMs: 300_000,
  pulseMs: 250,
  pingMs: 500,
  silentMs: 2000,
}
