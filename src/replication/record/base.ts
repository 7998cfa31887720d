import Autobase from 'autobase'
import b4a from 'b4a'
import type Corestore from 'corestore'
import { bytesOf, type Key } from '#keys'
import type { makeApply } from './apply.js'
import type { Follower } from './follower.js'
import { openView, type View, viewName } from './view.js'

export type Base = Autobase<View>

export function openBase(options: {
  cores: Corestore
  key: Key | undefined
  encryptionKey: Uint8Array
  apply: ReturnType<typeof makeApply>
  follower: Follower
}): Base {
  const { cores, key, encryptionKey, apply, follower } = options
  return new Autobase<View>(cores.namespace('record'), key === undefined ? null : bytesOf(key), {
    open: (store) => openView(store.get(viewName)),
    apply,
    update: async (_, changes) => follower.note(changes),
    close: (view) => view.close(),
    valueEncoding: 'binary',
    optimistic: true,
    encryptionKey,
    ackInterval: 0,
  })
}

export const hexOf = (bytes: Uint8Array): string => b4a.toString(bytes, 'hex')
