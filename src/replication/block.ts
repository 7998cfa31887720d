import { inflateRawSync } from 'node:zlib'
import { damaged } from './bytes.js'

/** The first byte of frames and chunks of format 1; then how they are packed, and their content. */
const version = 1
const plain = 0
const deflated = 1
const maxInflatedBytes = 64 * 1024 * 1024

/** The content of a block. Throws STORE_FAILED for damaged bytes. */
export function unpack(block: Uint8Array): Uint8Array {
  if (block.length < 2 || block[0] !== version) throw damaged('it has no head')
  const body = block.subarray(2)
  if (block[1] === plain) return body
  if (block[1] !== deflated) throw damaged('its packing is unknown')
  try {
    return inflateRawSync(body, { maxOutputLength: maxInflatedBytes })
  } catch (cause) {
    throw damaged('it cannot be unpacked', cause)
  }
}
