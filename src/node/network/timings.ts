/** All waits of the network, ms. The defaults notice a dead peer in under three seconds and spare a network that is down. */
export interface Timings {
  /** The links are looked at so often. */
  readonly tickMs: number
  /** A peer of which nothing came for so long is asked for a sign of life. */
  readonly beatMs: number
  /** A peer of which nothing came for so long is dead. */
  readonly deadMs: number
  /** A new connection has to say hello within this time. */
  readonly helloMs: number
  /** What `connect` waits for. */
  readonly connectMs: number
  /** The first pause before a lost peer is called again; it doubles up to `maxRedialMs`. */
  readonly redialMs: number
  readonly maxRedialMs: number
  /** A peer that was met on the topic and is lost is called by its key for so long; after that the topic has to find it again. */
  readonly forgetMs: number
  /** The topic of the epoch before is kept for so long, for members that have not heard of the new one. */
  readonly overlapMs: number
  /** From the beginning of a message to its end. The longest, 16 MiB, need half a megabit a second then; nobody sends such ones. */
  readonly messageMs: number
  /** After so long who announces on a topic looks once more: of two that begin at the same moment neither has seen the other. */
  readonly lookAgainMs: number
  /** Who announces in a small DHT does so again this often: its few nodes may all have been started anew. */
  readonly announceMs: number
  /** Between two attempts to punch through a NAT with random ports: each opens hundreds of sockets. */
  readonly randomPunchMs: number
  /** Between two looks whether the local DHT has lost its host. */
  readonly takeoverMs: number
  /** What a polite goodbye may take. */
  readonly closeMs: number
}

export const defaultTimings: Timings = {
  tickMs: 200,
  beatMs: 800,
  deadMs: 2_000,
  helloMs: 4_000,
  connectMs: 10_000,
  redialMs: 500,
  maxRedialMs: 30_000,
  forgetMs: 60 * 60_000,
  overlapMs: 10 * 60_000,
  messageMs: 5 * 60_000,
  lookAgainMs: 2_000,
  announceMs: 60_000,
  randomPunchMs: 20_000,
  takeoverMs: 1_000,
  closeMs: 1_500,
}
