import test from 'brittle'
import fc from 'fast-check'
import { authorization, openSession, parseChallenge } from '../../src/devices/kit/digest.js'

test('a challenge is read as servers write it', (t) => {
  const bitmain = parseChallenge('Digest realm="antMiner Configuration", nonce="0f3a", qop="auth"')
  t.alike(bitmain, {
    realm: 'antMiner Configuration',
    nonce: '0f3a',
    opaque: undefined,
    qop: 'auth',
    algorithm: 'MD5',
    stale: false,
  })
  t.is(parseChallenge('digest nonce=abc, realm=x, qop="auth-int, auth", stale=TRUE')?.stale, true)
  t.is(parseChallenge('Basic realm="r", Digest realm="a \\"b\\", c", nonce="n"')?.realm, 'a "b", c')
  t.is(parseChallenge(['Basic realm="r"', 'Digest nonce="n2", algorithm=SHA-256'])?.algorithm, 'SHA-256')
  t.is(
    parseChallenge('Digest nonce="a", algorithm=SHA-512, Digest nonce="b"')?.nonce,
    'b',
    'the first that we can answer',
  )
})

test('what is no digest challenge is none', (t) => {
  for (const header of [
    undefined,
    '',
    'Basic realm="x"',
    'Digest realm="no nonce"',
    'Digest nonce="n", qop="auth-int"',
    '"',
  ])
    t.is(parseChallenge(header), undefined)
})

test('the answer is that of RFC 2617 and RFC 7616', (t) => {
  const mufasa = { username: 'Mufasa', password: 'Circle Of Life' }
  const rfc2617 = parseChallenge(
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
  )!
  const first = authorization(openSession(rfc2617, mufasa, '0a4f113b'), 'GET', '/dir/index.html')
  t.ok(first.includes('response="6629fae49393a05397450978507c4ef1"'))
  t.ok(first.includes('nc=00000001'))
  const circle = { username: 'Mufasa', password: 'Circle of Life' }
  const rfc7616 = (algorithm: string) =>
    parseChallenge(
      `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
    )!
  const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ'
  const answer = (algorithm: string) =>
    /response="(\w+)"/.exec(
      authorization(openSession(rfc7616(algorithm), circle, cnonce), 'GET', '/dir/index.html'),
    )?.[1]
  t.is(answer('MD5'), '8ca523f5e9506fed4657c9700eebdbec')
  t.is(answer('SHA-256'), '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1')
})

test('every use of a nonce counts on', (t) => {
  const session = openSession(parseChallenge('Digest nonce="n", realm="r", qop="auth"')!, {
    username: 'a',
    password: 'b',
  })
  const counts = Array.from({ length: 17 }, () => /nc=(\w+)/.exec(authorization(session, 'GET', '/'))?.[1])
  t.is(counts[0], '00000001')
  t.is(counts[16], '00000011')
})

test('any header is read without harm, in time that grows with its length', (t) => {
  const nasty = fc.array(
    fc.oneof(fc.constantFrom('Digest', ' ', ',', '=', '"', '\\', 'nonce', 'realm="x"', 'qop=auth', '\t'), fc.string()),
    { maxLength: 200 },
  )
  fc.assert(
    fc.property(nasty, (pieces) => {
      const challenge = parseChallenge(pieces.join(''))
      return challenge === undefined || challenge.nonce.length > 0
    }),
    { numRuns: 500 },
  )
  for (const text of [
    ' '.repeat(1e5),
    ','.repeat(1e5),
    '"'.repeat(1e5),
    'a='.repeat(1e5),
    `Digest nonce="${'\\'.repeat(1e5)}`,
  ]) {
    const started = performance.now()
    parseChallenge(text)
    t.ok(performance.now() - started < 1000)
  }
})

test('a challenge that is written is read back', (t) => {
  const text = fc.string({ unit: 'grapheme-ascii', maxLength: 40 })
  const quoted = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`
  fc.assert(
    fc.property(
      text,
      text.filter((nonce) => nonce !== ''),
      fc.boolean(),
      (realm, nonce, stale) => {
        const read = parseChallenge(`Digest realm=${quoted(realm)}, nonce=${quoted(nonce)}, qop="auth", stale=${stale}`)
        return read?.realm === realm && read.nonce === nonce && read.stale === stale
      },
    ),
  )
  t.pass()
})
