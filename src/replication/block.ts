import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { SdkError } from '#model'
import { damaged } from './bytes.js'

/** Version of frames and chunks, their first byte. A reader refuses what is newer and reads everything that is older. */
const version = 1
const plain = 0
const deflated = 1
/** Below this, compressing costs more than it saves. */
const worthIt = 200
const maxInflatedBytes = 64 * 1024 * 1024

/** A stored block: version, how it is packed, content. `level` 1 for what is written every tick, 6 for what stays. */
export function pack(content: Uint8Array, level: 1 | 6): Uint8Array {
  const small = content.length >= worthIt ? deflateRawSync(content, { level }) : undefined
  const body = small && small.length < content.length ? small : content
  const block = new Uint8Array(2 + body.length)
  block[0] = version
  block[1] = body === small ? deflated : plain
  block.set(body, 2)
  return block
}

/** The content of a block. Throws STORE_NEWER for a later version, STORE_FAILED for damaged bytes. */
export function unpack(block: Uint8Array): Uint8Array {
  if (block.length < 2 || block[0] === 0) throw damaged('it has no head')
  if (block[0]! > version)
    throw new SdkError('STORE_NEWER', `a block has version ${block[0]}, this program reads up to ${version}`)
  const body = block.subarray(2)
  if (block[1] === plain) return body
  if (block[1] !== deflated) throw damaged('its packing is unknown')
  try {
    return inflateRawSync(body, { maxOutputLength: maxInflatedBytes })
  } catch (cause) {
    throw damaged('it cannot be unpacked', cause)
  }
}
