declare module 'z32' {
  const z32: {
    readonly ALPHABET: string
    encode(bytes: Uint8Array): string
    /** Throws on a character that is not of its alphabet. */
    decode(text: string): Uint8Array
  }
  export default z32
}
