import { readFileSync } from 'node:fs'
import type { Json } from './talk.js'

export const capture = (path: string): Json =>
  JSON.parse(readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8'))

/** Keys of the first that the second has not, or has in another type; lists by their first item. */
export function differences(wanted: unknown, had: unknown, path = ''): string[] {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(had)) return [`${path}: no list`]
    return wanted.length > 0 ? differences(wanted[0], had[0], `${path}[]`) : []
  }
  if (wanted === null || typeof wanted !== 'object')
    return typeof wanted === typeof had ? [] : [`${path}: ${typeof had}, not ${typeof wanted}`]
  return Object.entries(wanted).flatMap(([key, value]) =>
    differences(value, (had as Json | undefined)?.[key], `${path}.${key}`),
  )
}
