import test from 'brittle'
import { meshFindings } from '../../src/cli/commands/doctor-mesh.js'

const now = Date.now()
const key = (letter: string) => letter.repeat(64)
const answers: Record<string, unknown> = {
  '/api/v1/mesh': { fleet: { key: key('a'), currentAt: now - 2_000 } },
  '/api/v1/members': {
    data: [{ key: key('b'), name: 'tx', fingerprint: 'bbb', revoked: false, connected: false, until: null }],
  },
  [`/api/v1/mesh/reach/${key('a')}`]: { reachable: true, why: ['in the DHT: NAT consistent'] },
  [`/api/v1/mesh/reach/${key('b')}`]: { reachable: false, why: ['nobody answers at its address'] },
  '/api/v1/mesh/refused?limit=1000': {
    data: [
      { source: 'connection', at: now - 1_000, node: 'hq', name: 'tx', key: key('b'), reason: 'clone', count: 2 },
      { source: 'connection', at: now - 9_000, node: 'hq', name: 'tx', key: key('b'), reason: 'clone', count: 1 },
      { source: 'connection', at: now - 1_000, node: 'hq', name: null, key: key('c'), reason: 'unknown', count: 4 },
      { source: 'connection', at: now - 1_000, node: 'hq', name: null, key: key('d'), reason: 'unknown', count: 5 },
      { source: 'connection', at: now - 9_000_000, node: 'hq', name: 'tx', key: key('b'), reason: 'revoked', count: 7 },
      { source: 'record', at: now - 1_000, node: null, name: 'tx', key: key('b'), reason: 'repeated', count: 2 },
    ],
  },
}

test('doctor says who is away and why, who was turned away in the last hour, and what to do about each', async (t) => {
  const get = async (path: string) => answers[path]
  const findings = await meshFindings({ site: async () => ({ get }) } as never)
  t.alike(
    findings.map(({ check, state, finding }) => [check, state, finding]),
    [
      ['network', 'ok', 'in the DHT: NAT consistent'],
      ['record', 'ok', 'current 2 s ago'],
      ['member tx', 'warning', 'nobody answers at its address'],
      [
        'refused by hq',
        'broken',
        'tx: two machines run with one key; one of them is a copy of the other (3 times in an hour)',
      ],
      ['refused by hq', 'warning', 'somebody: no member (9 times in an hour)'],
    ],
  )
  t.ok(findings.slice(2).every(({ action }) => action))
})
