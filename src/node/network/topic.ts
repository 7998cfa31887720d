import { derive } from '#keys'

/** Where the members of a fleet meet in this epoch: 32 bytes that tell nothing of the secret, nor of any other epoch's topic. */
export function topicOf(secret: Uint8Array, epoch: number): Uint8Array {
  return derive(secret, `topic/${epoch}`)
}
