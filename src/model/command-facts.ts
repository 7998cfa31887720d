import type { TSchema } from './schema.js'

/**
 * The commands, one name and one input each for all brands (source: protocols/data-model.md §7). A device that lists one in its
 * `capabilities` can do it. `risk` drives the confirmation: `safe` changes nothing about mining, `disruptive` interrupts it,
 * `dangerous` may need hands on the device afterwards.
 */
export interface CommandFacts {
  readonly title: string
  readonly risk: 'safe' | 'disruptive' | 'dangerous'
  readonly input: TSchema
}
