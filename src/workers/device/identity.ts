/** What stays the same when the address changes. */
export interface Marks {
  mac?: string | null | undefined
  serial?: string | null | undefined
}

const worthless = /^(0+|F+|)$/

/** One text for one piece of hardware: its MAC, else its serial number; undefined if it reports neither. */
export function identityOf({ mac, serial }: Marks): string | undefined {
  const bare = (mac ?? '').toUpperCase().replace(/[^0-9A-F]/g, '')
  if (bare.length === 12 && !worthless.test(bare)) return `mac:${bare}`
  const number = (serial ?? '').trim().toUpperCase()
  return worthless.test(number) ? undefined : `serial:${number}`
}
