import test from 'brittle'
import { type Held, rootHeld, type Wanted, whyNot } from '#keys'
import { peer } from './peers.js'

const { key } = peer('k')

function held(facts: Partial<Held>): Held {
  return { key, role: 'operator', scope: 'control', mayIssue: [], ...facts }
}

test('who holds enough may; who does not is told why', (t) => {
  const cases: [string, Held, Wanted, RegExp | undefined][] = [
    ['no limits', held({}), { scope: 'control' }, undefined],
    ['a smaller scope', held({}), { scope: 'read', site: 'texas' }, undefined],
    ['a wider scope', held({}), { scope: 'admin' }, /needs the scope admin.*holds control/],
    ['its site', held({ sites: ['texas'] }), { scope: 'read', site: 'texas' }, undefined],
    ['another site', held({ sites: ['texas'] }), { scope: 'read', site: 'oslo' }, /other sites than oslo/],
    ['any site', held({ sites: ['texas'] }), { scope: 'read' }, /limited to some sites/],
    [
      'all limits kept',
      held({ sites: ['texas'], libraries: ['a'], devices: ['1', '2'] }),
      { scope: 'control', site: 'texas', library: 'a', deviceId: '2' },
      undefined,
    ],
    [
      'one limit not kept',
      held({ sites: ['texas'], libraries: ['a'], devices: ['1', '2'] }),
      { scope: 'control', site: 'texas', library: 'a', deviceId: '3' },
      /other devices than 3/,
    ],
    [
      'a worker that commands',
      held({ role: 'worker', scope: 'member' }),
      { scope: 'control' },
      /worker .* holds member/,
    ],
    ['the root', rootHeld(key), { scope: 'admin' }, undefined],
  ]
  for (const [what, holder, wanted, reason] of cases) {
    const answer = whyNot(holder, wanted)
    if (reason) t.ok(answer !== undefined && reason.test(answer), `${what}: ${answer}`)
    else t.is(answer, undefined, what)
  }
})
