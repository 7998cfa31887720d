import type { Model } from '../define.js'

/** A rig has as many bays filled as its owner wants, and tells them itself: nothing but the cooling is the same for all. */
export const protoRigs: Readonly<Record<string, Model>> = Object.freeze({ Rig: { cooling: 'air' } })

/** `Rig` of `Proto Rig`; undefined for nothing. */
export function protoName(text: string | undefined): string | undefined {
  const plain = text?.replace(/^\s*proto\s+/i, '').slice(0, 32)
  if (!plain) return undefined
  return /^rig$/i.test(plain) ? 'Rig' : plain
}

export function protoModel(name: string): Model | undefined {
  const known = protoName(name)
  return known !== undefined && Object.hasOwn(protoRigs, known) ? protoRigs[known] : undefined
}
