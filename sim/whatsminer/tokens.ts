import { whatsminerCrypto } from '#devices'
import type { Clock } from '#model'
import { letters, sequence } from '../random.js'

const tokenLifeMs = 30 * 60_000
const tokensPerClient = 32
const maxClients = 16
const digits = '0123456789'
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

interface Token {
  readonly sign: string
  readonly until: number
}

/** The live tokens of API v2, by the address of their client (protocols/whatsminer.md §1.1). A new password makes all of them void. */
export class Tokens {
  readonly #clock: Clock
  readonly #next: () => number
  readonly #byClient = new Map<string, Token[]>()

  constructor(clock: Clock, seed: number) {
    this.#clock = clock
    this.#next = sequence(seed + 31)
  }

  /** What `get_token` answers; undefined beyond 16 clients or 32 tokens of one. */
  issue(client: string, password: string, salt: string): { time: string; salt: string; newsalt: string } | undefined {
    this.#forgetOld()
    const own = this.#byClient.get(client) ?? []
    if (own.length >= tokensPerClient || (own.length === 0 && this.#byClient.size >= maxClients)) return undefined
    const challenge = { time: letters(this.#next, 4, digits), salt, newsalt: letters(this.#next, 8, alphabet) }
    const { sign } = whatsminerCrypto.openSession(password, challenge)
    own.push({ sign, until: this.#clock.now() + tokenLifeMs })
    this.#byClient.set(client, own)
    return challenge
  }

  isLive(client: string, sign: unknown): boolean {
    this.#forgetOld()
    return this.#byClient.get(client)?.some((token) => token.sign === sign) ?? false
  }

  clear() {
    this.#byClient.clear()
  }

  #forgetOld() {
    const now = this.#clock.now()
    for (const [client, tokens] of this.#byClient) {
      const live = tokens.filter(({ until }) => until > now)
      if (live.length > 0) this.#byClient.set(client, live)
      else this.#byClient.delete(client)
    }
  }
}
