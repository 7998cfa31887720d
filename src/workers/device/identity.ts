/** What stays the same when the address changes. */
export interface Marks {
  mac?: string | null | undefined
  serial?: string | null | undefined
}

/** The marks that were read last, and what they said. */
export interface Known extends Marks {
  readonly identity: string | undefined
}

/** `known` if the marks are the same still, as on nearly every poll: to work the identity out takes more than the rest of booking a visit. */
export function identified({ mac, serial }: Marks, known: Known | undefined): Known {
  if (known && known.mac === mac && known.serial === serial) return known
  return { mac, serial, identity: identityOf({ mac, serial }) }
}

const worthless = /^(0+|F+|)$/

/** One text for one piece of hardware: its MAC, else its serial number; undefined if it reports neither. */
export function identityOf({ mac, serial }: Marks): string | undefined {
  const bare = (mac ?? '').toUpperCase().replace(/[^0-9A-F]/g, '')
  if (bare.length === 12 && !worthless.test(bare)) return `mac:${bare}`
  const number = (serial ?? '').trim().toUpperCase()
  return worthless.test(number) ? undefined : `serial:${number}`
}
