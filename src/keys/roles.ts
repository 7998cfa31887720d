/** What a peer may ask of others: `member` takes part (announces itself, is pinged), `read` sees, `control` commands devices, `admin` changes who and what there is. Each includes those before it. */
export const grantScopes = ['member', 'read', 'control', 'admin'] as const
export type GrantScope = (typeof grantScopes)[number]

export const roleNames = ['owner', 'admin', 'operator', 'worker', 'aggregator', 'gateway', 'monitor'] as const
export type Role = (typeof roleNames)[number]

export interface RoleFacts {
  /** What it holds unless its grant says less, or more up to `most`. */
  readonly scope: GrantScope
  readonly most: GrantScope
  /** May write the fleet record. */
  readonly record: boolean
  /** The roles whose grants it may sign, never with more than it holds itself. */
  readonly issues: readonly Role[]
  /** What other processes of its machine may be, each under a key of its own. */
  readonly beside: readonly Role[]
  readonly about: string
}

/** Who works for the fleet and can be invited by those who are not the owner. */
const invited = ['operator', 'worker', 'aggregator', 'gateway', 'monitor'] as const

/** Only the owner makes admins: who rules the fleet is not decided by those who are ruled in. */
export const roles: Readonly<Record<Role, RoleFacts>> = {
  owner: {
    scope: 'admin',
    most: 'admin',
    record: true,
    issues: ['admin', ...invited],
    beside: [],
    about: 'holds the root key, or acts for whoever does',
  },
  admin: {
    scope: 'admin',
    most: 'admin',
    record: true,
    issues: invited,
    beside: [],
    about: 'changes who and what there is',
  },
  operator: { scope: 'control', most: 'control', record: false, issues: [], beside: [], about: 'commands devices' },
  worker: {
    scope: 'member',
    most: 'member',
    record: false,
    issues: [],
    beside: ['worker'],
    about: 'serves its devices and writes its own feed, nothing else',
  },
  aggregator: {
    scope: 'read',
    most: 'admin',
    record: true,
    issues: invited,
    beside: ['gateway', 'worker', 'monitor'],
    about: 'keeps the fleet record; lets new members in as far as its own scope goes',
  },
  gateway: {
    scope: 'admin',
    most: 'admin',
    record: false,
    issues: [],
    beside: ['gateway', 'worker', 'monitor'],
    about: 'asks in the name of its users, for each no more than that user may',
  },
  monitor: {
    scope: 'read',
    most: 'read',
    record: false,
    issues: [],
    beside: ['monitor'],
    about: 'sees everything, changes nothing',
  },
}

export function covers(held: GrantScope, needed: GrantScope): boolean {
  return grantScopes.indexOf(held) >= grantScopes.indexOf(needed)
}
