declare module 'hypercore-crypto' {
  interface KeyPair {
    publicKey: Uint8Array
    secretKey: Uint8Array
  }
  const crypto: {
    /** Ed25519; of the 32 bytes given, else of random ones. */
    keyPair(seed?: Uint8Array): KeyPair
    sign(message: Uint8Array, secretKey: Uint8Array): Uint8Array
    /** False also for a signature or a key of the wrong length. */
    verify(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean
    /** 32 bytes of BLAKE2b. */
    hash(data: Uint8Array): Uint8Array
    randomBytes(count: number): Uint8Array
    /** Names a log or a topic without giving its key away. */
    discoveryKey(key: Uint8Array): Uint8Array
  }
  export default crypto
}
