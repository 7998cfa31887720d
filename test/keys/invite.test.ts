import b4a from 'b4a'
import test from 'brittle'
import fc from 'fast-check'
import z32 from 'z32'
import { decodeInvite, encodeInvite, inviteKeys, keyOf, newInvite, visitorOf } from '#keys'
import { refusal } from './peers.js'

const hex = (bytes: Uint8Array) => b4a.toString(bytes, 'hex')
const seed = b4a.from('000102030405060708090a0b0c0d0e0f', 'hex')
const code = encodeInvite({ seed })

const seeds = fc.uint8Array({ minLength: 16, maxLength: 16 })
const port = fc.integer({ min: 1, max: 65535 })
const host = fc.oneof(
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
  fc.domain().filter((name) => name.length <= 253),
)
const bootstraps = fc.array(
  fc.tuple(host, port).map(([name, number]) => `${name}:${number}`),
  { maxLength: 4 },
)

test('a code is eight groups of four characters', (t) => {
  t.ok(/^([a-z0-9]{4}-){7}[a-z0-9]{4}$/.test(code), code)
  const lan = encodeInvite({ seed, bootstrap: ['10.0.0.2:49737'] })
  t.ok(/^([a-z0-9]{4}-){10}[a-z0-9]{1,4}$/.test(lan), lan)
})

test('a code says what was put in', (t) => {
  fc.assert(
    fc.property(seeds, bootstraps, (secret, bootstrap) => {
      const read = decodeInvite(encodeInvite({ seed: secret, bootstrap }))
      return hex(read.seed) === hex(secret) && JSON.stringify(read.bootstrap ?? []) === JSON.stringify(bootstrap)
    }),
    { numRuns: 300 },
  )
  t.pass()
})

test('a code may be typed as people type', (t) => {
  const spoken = [
    code.toUpperCase(),
    code.replaceAll('-', ''),
    code.replaceAll('-', ' '),
    `  ${code}\n`,
    code.replaceAll('-', '–'),
    code.replaceAll('o', '0').replaceAll('1', 'l').replaceAll('u', 'v').replaceAll('z', '2'),
  ]
  for (const text of spoken) t.is(hex(decodeInvite(text).seed), hex(seed), text)
})

test('one wrong, lost, doubled or swapped character is noticed', (t) => {
  const text = encodeInvite({ seed, bootstrap: ['10.0.0.2:49737'] }).replaceAll('-', '')
  const wrong = new Set<string>()
  for (let place = 0; place < text.length; place++) {
    const [before, after] = [text.slice(0, place), text.slice(place + 1)]
    for (const other of z32.ALPHABET) wrong.add(before + other + after)
    wrong.add(before + after)
    wrong.add(before + text[place] + text[place] + after)
    wrong.add(before + after[0] + text[place] + after.slice(1))
  }
  wrong.delete(text)
  const passed = [...wrong].filter((each) => {
    try {
      decodeInvite(each)
      return true
    } catch {
      return false
    }
  })
  t.alike(passed, [])
  t.ok(wrong.size > 1000)
})

test('what is wrong with a code is said', async (t) => {
  const cases: [string, RegExp][] = [
    ['', /32 characters or more, and this has 0/],
    [code.slice(0, -5), /32 characters or more, and this has 28/],
    [code.replace(/^.{4}-./, 'yyyy-!'), /at place 5 \(in group 2\)/],
    [code.slice(0, -1) + (code.endsWith('y') ? 'b' : 'y'), /typing mistake/],
    ['y'.repeat(5000), /too long/],
  ]
  for (const [text, why] of cases) {
    const error = await refusal(() => decodeInvite(text))
    t.is(error.code, 'BAD_REQUEST')
    t.ok(why.test(error.message), error.message)
    t.absent(text.length > 10 && error.message.includes(text), 'the code itself is not repeated')
  }
})

test('text of any kind never breaks the reader', (t) => {
  const letters = fc.string({ unit: fc.constantFrom(...z32.ALPHABET), maxLength: 120 })
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), letters), (text) => {
      try {
        decodeInvite(text)
        return false
      } catch (error) {
        return (error as Error).name === 'SdkError'
      }
    }),
    { numRuns: 2000 },
  )
  t.pass()
})

test('what an invite cannot carry is refused', async (t) => {
  const put = (bootstrap: string[], secret = seed) => refusal(() => encodeInvite({ seed: secret, bootstrap }))
  for (const address of ['10.0.0.2', 'host:0', 'host:65536', 'a b:1', ':1', `${'h'.repeat(254)}:1`, 'höst:1'])
    t.is((await put([address])).code, 'BAD_REQUEST', address.slice(0, 20))
  t.is((await put(Array(5).fill('a:1'))).code, 'BAD_REQUEST', 'five addresses')
  t.is((await put([], seed.subarray(1))).code, 'BAD_REQUEST', 'a short secret')
})

test('both sides find the same door and guest in it, and two invites share nothing', (t) => {
  const mine = inviteKeys(decodeInvite(code).seed)
  const theirs = inviteKeys(seed)
  t.is(mine.id, theirs.id)
  t.is(hex(mine.door.secretKey), hex(theirs.door.secretKey))
  t.is(hex(mine.guest.secretKey), hex(theirs.guest.secretKey))
  const [a, b] = [inviteKeys(newInvite().seed), inviteKeys(newInvite(['10.0.0.2:1']).seed)]
  const all = [mine, a, b].flatMap(({ door, guest, id }) => [keyOf(door), keyOf(guest), id])
  t.is(new Set(all).size, 9)
})

test('relays know the guest of an invite by its id, which opens no door', (t) => {
  const { id, door, guest, visitor } = inviteKeys(seed)
  t.alike(visitorOf(id), visitor)
  t.is(new Set([door, guest, visitor].map(keyOf)).size, 3)
})
