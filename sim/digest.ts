import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '#model'

/** A nonce older than that is stale: the client must take a new one, its password may be right. */
const nonceLifeMs = 600_000

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

/** The server's side of digest login (RFC 7616, MD5, qop auth). A nonce carries its time and a seal, so nothing is kept for it. */
export class DigestGate {
  readonly #clock: Clock
  readonly #realm: string
  readonly #secret = randomBytes(16).toString('hex')

  constructor(clock: Clock, realm: string) {
    this.#clock = clock
    this.#realm = realm
  }

  challenge(stale = false): string {
    const at = this.#clock.now().toString(16)
    const nonce = `${at}:${md5(`${at}:${this.#secret}`)}`
    return `Digest realm="${this.#realm}", nonce="${nonce}", qop="auth"${stale ? ', stale=true' : ''}`
  }

  /** `right`, `wrong`, or `stale` if only the nonce is too old. */
  check(
    header: string | undefined,
    method: string,
    uri: string,
    user: string,
    password: string,
  ): 'right' | 'wrong' | 'stale' {
    if (!header?.startsWith('Digest ')) return 'wrong'
    const fields = new Map<string, string>()
    for (const [, key, quoted, plain] of header.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g))
      fields.set(key!, quoted ?? plain ?? '')
    const get = (key: string) => fields.get(key) ?? ''
    const nonce = get('nonce')
    const [at = ''] = nonce.split(':')
    if (nonce !== `${at}:${md5(`${at}:${this.#secret}`)}`) return 'wrong'
    if (get('username') !== user || get('realm') !== this.#realm || get('uri') !== uri) return 'wrong'
    const parts = [
      md5(`${user}:${this.#realm}:${password}`),
      nonce,
      get('nc'),
      get('cnonce'),
      get('qop'),
      md5(`${method}:${uri}`),
    ]
    if (get('qop') !== 'auth' || md5(parts.join(':')) !== get('response')) return 'wrong'
    return this.#clock.now() - Number.parseInt(at, 16) > nonceLifeMs ? 'stale' : 'right'
  }
}
