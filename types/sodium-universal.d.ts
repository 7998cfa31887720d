declare module 'sodium-universal' {
  const sodium: {
    /** BLAKE2b of the input into `out` (16 to 64 bytes), under the key (16 to 64 bytes) if there is one. */
    crypto_generichash(out: Uint8Array, input: Uint8Array, key?: Uint8Array): void
    /** `ad` is authenticated, not sealed; `nsec` is unused. `out` is 16 bytes longer than the message. */
    crypto_aead_xchacha20poly1305_ietf_encrypt(
      out: Uint8Array,
      message: Uint8Array,
      ad: Uint8Array | null,
      nsec: null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): void
    /** Throws if anything of it is not as it was sealed. */
    crypto_aead_xchacha20poly1305_ietf_decrypt(
      out: Uint8Array,
      nsec: null,
      sealed: Uint8Array,
      ad: Uint8Array | null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): void
    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES: number
    crypto_aead_xchacha20poly1305_ietf_ABYTES: number
    crypto_pwhash_async(
      out: Uint8Array,
      passphrase: Uint8Array,
      salt: Uint8Array,
      operations: number,
      memoryBytes: number,
      algorithm: number,
    ): Promise<void>
    crypto_pwhash_ALG_ARGON2ID13: number
    crypto_pwhash_SALTBYTES: number
    crypto_pwhash_OPSLIMIT_MODERATE: number
    crypto_pwhash_MEMLIMIT_MODERATE: number
  }
  export default sodium
}
