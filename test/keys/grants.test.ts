import b4a from 'b4a'
import test from 'brittle'
import fc from 'fast-check'
import crypto from 'hypercore-crypto'
import {
  clockToleranceMs,
  covers,
  type Grant,
  type GrantFacts,
  grantScopes,
  issueGrant,
  maxGrantBytes,
  parseGrant,
  type Role,
  roleNames,
  roles,
  rootHeld,
  verifyGrant,
} from '#keys'
import { grantIdOf, statementOf } from '../../src/keys/grant.js'
import { at, hour, type Peer, peer, refusal, seenBy, tampered } from './peers.js'

const root = peer('root')
const admin = peer('admin')
const hub = peer('hub')
const guest = peer('guest')

const adminGrant = issueGrant(root, undefined, {
  subject: admin.key,
  role: 'admin',
  sites: ['texas', 'oslo'],
  from: at,
})
const workerGrant = issueGrant(admin, adminGrant, {
  subject: guest.key,
  role: 'worker',
  sites: ['texas'],
  libraries: ['miner-antminer'],
  from: at,
})

/** Signs whatever a dishonest issuer likes. */
function forge(issuer: Peer, facts: Partial<Grant>): Grant {
  const unsigned = {
    v: 1 as const,
    fleet: root.key,
    subject: guest.key,
    role: 'operator' as const,
    from: at,
    issuer: issuer.key,
    ...facts,
  }
  const bytes = statementOf(unsigned)
  return { ...unsigned, id: grantIdOf(bytes), signature: b4a.toString(crypto.sign(bytes, issuer.secretKey), 'hex') }
}

test('a grant of the owner gives what it says, and the role says the rest', (t) => {
  t.alike(verifyGrant(adminGrant, seenBy(root)), {
    key: admin.key,
    role: 'admin',
    scope: 'admin',
    sites: ['texas', 'oslo'],
    mayIssue: ['operator', 'worker', 'aggregator', 'gateway', 'monitor'],
  })
  const all = issueGrant(root, undefined, { subject: hub.key, role: 'aggregator', scope: 'admin', from: at })
  t.is(verifyGrant(all, seenBy(root)).scope, 'admin')
  t.absent('sites' in verifyGrant(all, seenBy(root)))
})

test('the second grant of a chain gives what is left of both, and ends the chain', (t) => {
  t.alike(verifyGrant(workerGrant, seenBy(root, { subject: guest.key })), {
    key: guest.key,
    role: 'worker',
    scope: 'member',
    sites: ['texas'],
    libraries: ['miner-antminer'],
    mayIssue: [],
  })
  const heir = issueGrant(admin, adminGrant, { subject: guest.key, role: 'monitor', from: at })
  t.alike(verifyGrant(heir, seenBy(root)).sites, ['texas', 'oslo'], 'what it does not say it has from its parent')
})

test('the earlier end of the chain counts', (t) => {
  const parent = issueGrant(root, undefined, { subject: admin.key, role: 'admin', from: at, until: at + hour })
  const open = issueGrant(admin, parent, { subject: guest.key, role: 'monitor', from: at })
  const short = issueGrant(admin, parent, { subject: guest.key, role: 'monitor', from: at, until: at + hour / 2 })
  t.is(verifyGrant(open, seenBy(root)).until, at + hour)
  t.is(verifyGrant(short, seenBy(root)).until, at + hour / 2)
})

test('nobody gives more than there is to give', async (t) => {
  const give = (issuer: Peer, parent: Grant | undefined, facts: Partial<GrantFacts>) =>
    refusal(() => issueGrant(issuer, parent, { subject: guest.key, role: 'monitor', from: at, ...facts }))
  const reader = issueGrant(root, undefined, { subject: hub.key, role: 'aggregator', from: at, until: at + hour })
  const cases: [string, ReturnType<typeof give>, RegExp][] = [
    [
      'a wider scope than the role may have',
      give(root, undefined, { role: 'worker', scope: 'read' }),
      /member at most/,
    ],
    ['a wider scope than its own', give(hub, reader, { role: 'operator' }), /holds read and cannot give control/],
    [
      'a role that it may not give',
      give(admin, adminGrant, { role: 'admin' }),
      /may not make grants of the role admin/,
    ],
    ['another site', give(admin, adminGrant, { sites: ['texas', 'lima'] }), /other sites than lima/],
    ['longer than its own', give(hub, reader, { until: at + 2 * hour }), /only until/],
    ['when its own has ended', give(hub, reader, { from: at + 2 * hour }), /ended at/],
    ['as one who may give nothing', give(guest, workerGrant, {}), /may not make grants/],
    ["by another's grant", give(hub, adminGrant, {}), /is of .*, not of/],
  ]
  for (const [what, error, why] of cases) t.ok(why.test((await error).message), `${what}: ${(await error).message}`)
  t.is((await give(root, undefined, { until: at - 1 })).code, 'BAD_REQUEST', 'an end before its beginning')
  t.is((await give(root, undefined, { sites: [] })).code, 'BAD_REQUEST', 'a list that limits to nothing')
  t.is((await give(root, undefined, { sites: ['a b'] })).code, 'BAD_REQUEST', 'a site whose name is none')
})

test('what a dishonest issuer signs itself is refused with the reason', async (t) => {
  const hubRead = issueGrant(root, undefined, { subject: hub.key, role: 'aggregator', sites: ['texas'], from: at })
  const refused = (grant: Grant, more = {}) => refusal(() => verifyGrant(grant, seenBy(root, more)))
  const parent = hubRead
  const cases: [string, Grant, string, RegExp][] = [
    ['without a parent', forge(hub, {}), 'UNAUTHENTICATED', /not signed by the fleet's owner/],
    ["in the owner's name", forge(hub, { issuer: root.key }), 'UNAUTHENTICATED', /forged or changed/],
    [
      'with a parent that is not its own',
      forge(hub, { parent: adminGrant as never }),
      'UNAUTHENTICATED',
      /not signed by who holds its parent/,
    ],
    ['with a wider scope', forge(hub, { parent, role: 'operator' }), 'FORBIDDEN', /gives too much/],
    ['with another site', forge(hub, { parent, role: 'monitor', sites: ['oslo'] }), 'FORBIDDEN', /gives too much/],
    ['for an owner', forge(hub, { parent, role: 'owner', scope: 'read' }), 'FORBIDDEN', /gives too much/],
    [
      'for another fleet',
      forge(hub, { parent, role: 'monitor', fleet: guest.key }),
      'UNAUTHENTICATED',
      /another fleet/,
    ],
  ]
  for (const [what, grant, code, why] of cases) {
    const error = await refused(grant)
    t.is(error.code, code, what)
    t.ok(why.test(error.message), error.message)
  }
  t.is((await refused(workerGrant, { fleet: guest.key })).code, 'UNAUTHENTICATED', 'a whole chain of another fleet')
})

test('a grant is worth what its issuer held when signing, not what else the issuer holds', async (t) => {
  const wide = issueGrant(root, undefined, { subject: admin.key, role: 'admin', from: at + 1 })
  const error = await refusal(() => verifyGrant(tampered(workerGrant, { parent: wide }), seenBy(root)))
  t.is(error.code, 'UNAUTHENTICATED')
})

test('a grant shown by another than its subject is refused', async (t) => {
  const error = await refusal(() => verifyGrant(workerGrant, seenBy(root, { subject: hub.key })))
  t.is(error.code, 'UNAUTHENTICATED')
  t.ok(/is of .*, not of/.test(error.message))
})

test('a chain of three is none', async (t) => {
  const second = issueGrant(admin, adminGrant, { subject: hub.key, role: 'aggregator', scope: 'read', from: at })
  const error = await refusal(() => issueGrant(hub, second, { subject: guest.key, role: 'monitor', from: at }))
  t.ok(/two grants at most/.test(error.message), error.message)
  const third = forge(hub, { parent: second as never, role: 'monitor' })
  t.is((await refusal(() => verifyGrant(third, seenBy(root)))).code, 'BAD_REQUEST')
  t.is((await refusal(() => parseGrant(JSON.stringify(third)))).code, 'BAD_REQUEST')
})

test('before and after its time a grant counts only as far as clocks may differ', async (t) => {
  const grant = issueGrant(root, undefined, { subject: guest.key, role: 'monitor', from: at, until: at + hour })
  const child = issueGrant(
    admin,
    issueGrant(root, undefined, { subject: admin.key, role: 'admin', from: at, until: at + hour }),
    {
      subject: guest.key,
      role: 'monitor',
      from: at,
    },
  )
  for (const each of [grant, child]) {
    const when = (now: number) => () => verifyGrant(each, seenBy(root, { now }))
    t.is(when(at - clockToleranceMs)().role, 'monitor')
    t.is(when(at + hour + clockToleranceMs - 1)().role, 'monitor')
    t.ok(/counts from/.test((await refusal(when(at - clockToleranceMs - 1))).message))
    t.ok(/ended at/.test((await refusal(when(at + hour + clockToleranceMs))).message))
  }
})

test('who is revoked takes along what it issued', async (t) => {
  const without = (...gone: string[]) =>
    refusal(() => verifyGrant(workerGrant, seenBy(root, { revoked: (name: string) => gone.includes(name) })))
  for (const gone of [guest.key, admin.key, workerGrant.id, adminGrant.id]) {
    const error = await without(gone)
    t.is(error.code, 'FORBIDDEN')
    t.ok(/was revoked/.test(error.message), error.message)
  }
  t.is(verifyGrant(workerGrant, seenBy(root, { revoked: (name: string) => name === root.key })).role, 'worker')
})

test('no fact of a grant can be changed', async (t) => {
  const others: Partial<Grant>[] = [
    { subject: hub.key },
    { role: 'monitor' },
    { scope: 'member' },
    { sites: ['oslo'] },
    { libraries: ['miner-whatsminer'] },
    { devices: ['a'] },
    { from: at - 1 },
    { until: at + hour },
    { id: adminGrant.id },
    { signature: adminGrant.signature },
  ]
  for (const change of others) {
    const error = await refusal(() => verifyGrant(tampered(workerGrant, change), seenBy(root)))
    t.is(error.code, 'UNAUTHENTICATED', `${Object.keys(change)}`)
  }
  const { libraries: _, ...wider } = workerGrant
  t.is((await refusal(() => verifyGrant(wider, seenBy(root)))).code, 'UNAUTHENTICATED', 'a limit taken away')
})

/** Few names, so that lists meet each other. */
const name = fc.constantFrom('a', 'b', 'c')
const names = fc.option(fc.uniqueArray(name, { minLength: 1, maxLength: 3 }), { nil: undefined })
const factsOf = (role: fc.Arbitrary<Role>) =>
  fc.record(
    {
      subject: fc.constant(guest.key),
      role,
      scope: fc.constantFrom(...grantScopes),
      sites: names,
      libraries: names,
      devices: names,
      from: fc.integer({ min: at - hour, max: at }),
      until: fc.integer({ min: at + hour, max: at + 9 * hour }),
    },
    { requiredKeys: ['subject', 'role', 'from'] },
  )

/** Whether everything in `inner` is in `outer`; no list is everything. */
const inside = (inner: readonly string[] | undefined, outer: readonly string[] | undefined) =>
  outer === undefined || (inner?.every((each) => outer.includes(each)) ?? false)

test('whatever is issued verifies after travelling, and no chain ever widens', (t) => {
  let whole = 0
  fc.assert(
    fc.property(
      factsOf(fc.constantFrom('admin', 'aggregator')),
      factsOf(fc.constantFrom(...roleNames)),
      (first, second) => {
        let chain: Grant
        const clean = (facts: object) =>
          Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
        const parentFacts = { ...clean(first), subject: admin.key } as GrantFacts
        const parent = issueGrant(root, undefined, parentFacts)
        const outer = verifyGrant(parseGrant(JSON.stringify(parent)), seenBy(root))
        try {
          chain = issueGrant(admin, parent, { ...clean(second), from: at } as GrantFacts)
        } catch {
          // Then a forged one of the same facts must not pass either.
          const forged = forge(admin, { ...clean(second), from: at, parent: parent as never })
          let passed = true
          try {
            verifyGrant(forged, seenBy(root))
          } catch {
            passed = false
          }
          return !passed
        }
        whole++
        const inner = verifyGrant(parseGrant(b4a.from(JSON.stringify(chain))), seenBy(root, { subject: guest.key }))
        return (
          covers(outer.scope, inner.scope) &&
          inside(inner.sites, outer.sites) &&
          inside(inner.libraries, outer.libraries) &&
          inside(inner.devices, outer.devices) &&
          (outer.until === undefined || (inner.until ?? Number.POSITIVE_INFINITY) <= outer.until) &&
          inner.mayIssue.length === 0
        )
      },
    ),
    { numRuns: 600 },
  )
  t.ok(whole > 10, `${whole} chains were whole`)
})

test('two statements that differ have different bytes', (t) => {
  const facts = factsOf(fc.constantFrom(...roleNames))
  const bytes = (each: object) =>
    b4a.toString(statementOf({ v: 1, fleet: root.key, issuer: root.key, ...each } as never), 'hex')
  const same = (a: object, b: object) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
  const sorted = (each: object) =>
    Object.entries(each)
      .filter(([, value]) => value !== undefined)
      .sort()
  fc.assert(fc.property(facts, facts, (a, b) => same(a, b) === (bytes(a) === bytes(b))))
  t.pass()
})

test('a grant from a stranger is read in bounds, or refused', async (t) => {
  const text = JSON.stringify(workerGrant)
  for (let length = 0; length < text.length; length++) {
    const error = await refusal(() => parseGrant(text.slice(0, length)))
    if (error.code !== 'BAD_REQUEST') t.fail(`${length}: ${error.code}`)
  }
  t.is((await refusal(() => parseGrant('x'.repeat(maxGrantBytes + 1)))).code, 'TOO_LARGE')
  t.is((await refusal(() => parseGrant('['.repeat(maxGrantBytes)))).code, 'BAD_REQUEST')
  t.is((await refusal(() => parseGrant(`${text.slice(0, -1)},"__proto__":{"role":"owner"}}`))).code, 'BAD_REQUEST')
  t.is((await refusal(() => parseGrant(JSON.stringify({ ...workerGrant, role: 'king' })))).code, 'BAD_REQUEST')
  const many = { ...workerGrant, devices: Array.from({ length: 101 }, (_, index) => `d${index}`) }
  t.is((await refusal(() => parseGrant(JSON.stringify(many)))).code, 'BAD_REQUEST')
  t.alike(parseGrant(text), workerGrant)
})

test('bytes of any kind never break the reader, and only whole grants come out of it', (t) => {
  const text = JSON.stringify(workerGrant)
  const flipped = fc.tuple(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 })).map(([place, code]) => {
    return text.slice(0, place) + String.fromCharCode(code) + text.slice(place + 1)
  })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), fc.json(), flipped), (input) => {
      try {
        const held = verifyGrant(parseGrant(input), seenBy(root))
        return JSON.stringify(held) === JSON.stringify(verifyGrant(workerGrant, seenBy(root)))
      } catch (error) {
        return (error as Error).name === 'SdkError'
      }
    }),
    { numRuns: 1000 },
  )
  t.pass()
})

test('the table of roles: no role exceeds its bound, and only those above give', (t) => {
  for (const role of roleNames) {
    t.ok(covers(roles[role].most, roles[role].scope), role)
    t.absent(roles[role].issues.includes('owner'), `${role} makes no owner`)
  }
  t.alike(roles.worker.issues, [])
  t.is(roles.worker.most, 'member')
  t.absent(roles.worker.record)
  t.ok(rootHeld(root.key).mayIssue.includes('owner'))
})
