import type { Hardware } from './hardware.js'

/** What can be broken on a simulated miner while it runs. Several at once are possible, one of each kind and place. */
export type Fault =
  | { readonly kind: 'dead' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'half'; readonly ending: 'close' | 'hang' }
  | { readonly kind: 'garbage' }
  | { readonly kind: 'endless' }
  | { readonly kind: 'refusedWrite' }
  | { readonly kind: 'boardLost'; readonly slot: number }
  | { readonly kind: 'fanStopped'; readonly index: number }
  | { readonly kind: 'poolDead'; readonly index: number }
  | { readonly kind: 'overheated' }

export type FaultKind = Fault['kind']

interface FaultFacts {
  /** `wire`: how it answers. `write`: what it takes. `hardware`: what it measures. */
  readonly touches: 'wire' | 'write' | 'hardware'
  readonly title: string
  /** One that this hardware can have, drawn by chance; undefined if it cannot. */
  readonly draw: (next: () => number, hardware: Hardware) => Fault | undefined
}

export const faults: Readonly<Record<FaultKind, FaultFacts>> = {
  dead: { touches: 'wire', title: 'nobody listens: connections are refused', draw: () => ({ kind: 'dead' }) },
  silent: { touches: 'wire', title: 'accepts connections and never answers', draw: () => ({ kind: 'silent' }) },
  slow: {
    touches: 'wire',
    title: 'answers late',
    draw: (next) => ({ kind: 'slow', ms: 500 + Math.floor(next() * 4500) }),
  },
  half: {
    touches: 'wire',
    title: 'half an answer, then it closes or hangs',
    draw: (next) => ({ kind: 'half', ending: next() < 0.5 ? 'close' : 'hang' }),
  },
  garbage: { touches: 'wire', title: 'answers with random bytes', draw: () => ({ kind: 'garbage' }) },
  endless: { touches: 'wire', title: 'an answer without an end', draw: () => ({ kind: 'endless' }) },
  refusedWrite: { touches: 'write', title: 'refuses every write', draw: () => ({ kind: 'refusedWrite' }) },
  boardLost: {
    touches: 'hardware',
    title: 'one board is lost',
    draw: (next, { boards }) => ({ kind: 'boardLost', slot: Math.floor(next() * boards) }),
  },
  fanStopped: {
    touches: 'hardware',
    title: 'one fan stands still',
    draw: (next, { fans }) => (fans > 0 ? { kind: 'fanStopped', index: Math.floor(next() * fans) } : undefined),
  },
  poolDead: { touches: 'hardware', title: 'the first pool is dead', draw: () => ({ kind: 'poolDead', index: 0 }) },
  overheated: {
    touches: 'hardware',
    title: 'the cooling is blocked: hot, and throttled',
    draw: () => ({ kind: 'overheated' }),
  },
}

export const faultKinds = Object.keys(faults) as FaultKind[]

/** Two faults with the same key are the same fault: the later one replaces the earlier. */
export function faultKey(fault: Fault): string {
  if (fault.kind === 'boardLost') return `boardLost:${fault.slot}`
  if (fault.kind === 'fanStopped' || fault.kind === 'poolDead') return `${fault.kind}:${fault.index}`
  return fault.kind
}
