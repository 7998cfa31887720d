import b4a from 'b4a'
import sodium from 'sodium-universal'
import { SdkError } from '#model'
import { type Random, random as systemRandom } from './key.js'

const nonceBytes = sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
const tagBytes = sodium.crypto_aead_xchacha20poly1305_ietf_ABYTES

/**
 * Seals bytes under a key of 32 bytes (XChaCha20-Poly1305): 40 bytes longer than what it holds, a fresh nonce first. `context` says what it
 * is and is needed to open it, so that one seal cannot be passed off as another.
 */
export function seal(key: Uint8Array, bytes: Uint8Array, context: string, random: Random = systemRandom): Uint8Array {
  const nonce = random(nonceBytes)
  const sealed = b4a.alloc(bytes.byteLength + tagBytes)
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, bytes, b4a.from(context), null, nonce, key)
  return b4a.concat([nonce, sealed])
}

/** What was sealed, or undefined if it is another key's, of another context, or changed in any bit. */
export function unseal(key: Uint8Array, sealed: Uint8Array, context: string): Uint8Array | undefined {
  if (sealed.byteLength < nonceBytes + tagBytes) return undefined
  const out = b4a.alloc(sealed.byteLength - nonceBytes - tagBytes)
  const nonce = sealed.subarray(0, nonceBytes)
  const rest = sealed.subarray(nonceBytes)
  try {
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(out, null, rest, b4a.from(context), nonce, key)
    return out
  } catch {
    return undefined
  }
}

/** What guessing one passphrase costs: half a second and 256 MB on a machine of today (argon2id, libsodium's "moderate"). */
const passes = sodium.crypto_pwhash_OPSLIMIT_MODERATE
const memoryKib = sodium.crypto_pwhash_MEMLIMIT_MODERATE / 1024
/** What a file may ask for at most: it may be a stranger's, and its figures are read before anything of it is known to be genuine. */
const mostPasses = 16
const mostMemoryKib = 1024 * 1024

const magic = b4a.from('MSDK')
const version = 1
const saltBytes = sodium.crypto_pwhash_SALTBYTES
/** Magic, version, passes (4 bytes), KiB (4 bytes), salt. */
const headBytes = magic.byteLength + 1 + 4 + 4 + saltBytes

/** Seals bytes under a passphrase; what it cost to make the key stands in front, so that later versions may ask for more. */
export async function sealWithPassphrase(
  bytes: Uint8Array,
  passphrase: string,
  context: string,
  random: Random = systemRandom,
): Promise<Uint8Array> {
  const head = b4a.alloc(headBytes)
  const view = viewOf(head)
  head.set(magic)
  view.setUint8(4, version)
  view.setUint32(5, passes)
  view.setUint32(9, memoryKib)
  head.set(random(saltBytes), 13)
  const key = await passphraseKey(passphrase, head)
  return b4a.concat([head, seal(key, bytes, context, random)])
}

/** Throws PASSPHRASE_WRONG, and SECRET_DAMAGED or STORE_NEWER for what was not made by `sealWithPassphrase` or is cut off. */
export async function unsealWithPassphrase(
  sealed: Uint8Array,
  passphrase: string,
  context: string,
  what: string,
): Promise<Uint8Array> {
  if (sealed.byteLength < magic.byteLength + 1 || !b4a.equals(sealed.subarray(0, magic.byteLength), magic))
    throw new SdkError('SECRET_DAMAGED', `${what} is none: it does not begin as one`)
  if (sealed[4]! > version) throw new SdkError('STORE_NEWER', `${what} was made by a newer version`)
  const head = sealed.subarray(0, headBytes)
  if (sealed[4] !== version || sealed.byteLength < headBytes + nonceBytes + tagBytes)
    throw new SdkError('SECRET_DAMAGED', `${what} is damaged: it is cut off or changed`)
  const view = viewOf(head)
  const asked = { passes: view.getUint32(5), kib: view.getUint32(9) }
  if (asked.passes < 1 || asked.passes > mostPasses || asked.kib < 8 || asked.kib > mostMemoryKib)
    throw new SdkError('SECRET_DAMAGED', `${what} is damaged: its passphrase would cost more than any that is made`)
  const opened = unseal(await passphraseKey(passphrase, head), sealed.subarray(headBytes), context)
  if (!opened) throw new SdkError('PASSPHRASE_WRONG', `the passphrase does not open ${what} (or it was changed)`)
  return opened
}

/** Under the costs and with the salt of the head. */
async function passphraseKey(passphrase: string, head: Uint8Array): Promise<Uint8Array> {
  const key = b4a.alloc(32)
  const view = viewOf(head)
  await sodium.crypto_pwhash_async(
    key,
    // The same letters, however the keyboard composes them.
    b4a.from(passphrase.normalize('NFKC')),
    head.subarray(13, 13 + saltBytes),
    view.getUint32(5),
    view.getUint32(9) * 1024,
    sodium.crypto_pwhash_ALG_ARGON2ID13,
  )
  return key
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
