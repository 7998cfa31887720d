import Autobase from 'autobase'
import b4a from 'b4a'
import type Corestore from 'corestore'
import { bytesOf, type Key } from '#keys'
import { makeApply, type Outcome } from './apply.js'
import type { Follower } from './follower.js'
import { openView, type View, viewName } from './view.js'

export type Base = Autobase<View>

/** The library's own acks are for forks between signers; ours, in `acker.ts`, for what is new. */
const ackMs = 1000

export function openBase(options: {
  cores: Corestore
  key: Key | undefined
  encryptionKey: Uint8Array
  outcome: Outcome
  follower: Follower
}): Base {
  const { cores, key, encryptionKey, outcome, follower } = options
  return new Autobase<View>(cores.namespace('record'), key === undefined ? null : bytesOf(key), {
    open: (store) => openView(store.get(viewName)),
    apply: makeApply(outcome),
    update: async (_, changes) => follower.note(changes),
    close: (view) => view.close(),
    valueEncoding: 'binary',
    optimistic: true,
    encryptionKey,
    ackInterval: ackMs,
  })
}

export const hexOf = (bytes: Uint8Array): string => b4a.toString(bytes, 'hex')
