import { createCipheriv } from 'node:crypto'
import test from 'brittle'
import fc from 'fast-check'
import { whatsminerCrypto as crypto } from '#devices'

const challenge = { time: '5626', salt: 'BQ5hoXV9', newsalt: 'jbzkfQls' }
const zeroPadded =
  'ztIn8gXGbnM4QY3NTovpapmN9lmZbn718Sv0yvT4EP/dlUMKT3l/YCrCuKnME8PJPgxKyXQXgb9xms6gNtxrYAB6Zauc2Kb1KH/JtuCvOBg='
const pkcs7Padded =
  'ztIn8gXGbnM4QY3NTovpapmN9lmZbn718Sv0yvT4EP/dlUMKT3l/YCrCuKnME8PJPgxKyXQXgb9xms6gNtxrYMVmCmNJheV6kN+KdEEhJWE='
const plain = '{"token":"w.BNbkCV6n1aNWgiBWLzT/","cmd":"set_led","param":"auto"}'

test('md5crypt gives what openssl passwd -1 gives', (t) => {
  t.is(crypto.md5crypt('admin', 'BQ5hoXV9'), 'RxmaDUO33TS7O26yeMHZ81')
  t.is(crypto.md5crypt('admin', '5QAHiKMb'), 'x5JSSQzqF0lEACIGSL0Ld1')
})

test('a v2 session is derived from the password and the challenge', (t) => {
  const { sign, aesKey } = crypto.openSession('admin', challenge)
  t.is(sign, 'w.BNbkCV6n1aNWgiBWLzT/')
  t.is(aesKey.toString('hex'), '199e0a202039bb7b558db7a54697dca29cb278055b7e659a127fb844d5a2fbf6')
  const second = crypto.openSession('admin', { time: '0000', salt: '5QAHiKMb', newsalt: 'kowEj187' })
  t.is(second.sign, 'FuAsr25h02Hee7J8zszS71')
  const longTime = crypto.openSession('admin', { ...challenge, time: '1616495626' })
  t.is(longTime.sign, sign, 'only the last four characters of the time count')
})

test('a v2 command is sealed with its token first and zero padding', (t) => {
  const session = crypto.openSession('admin', challenge)
  const frame = JSON.parse(crypto.sealCommand({ cmd: 'set_led', param: 'auto' }, session))
  t.alike(frame, { enc: 1, data: zeroPadded })
})

test('replies are decrypted with either padding', (t) => {
  const { aesKey } = crypto.openSession('admin', challenge)
  t.is(crypto.decrypt(zeroPadded, aesKey), plain)
  t.is(crypto.decrypt(pkcs7Padded, aesKey), plain)
})

test('what is no encrypted text decrypts to nothing, not to an exception', (t) => {
  const { aesKey } = crypto.openSession('admin', challenge)
  t.is(crypto.decrypt('', aesKey), undefined)
  t.is(crypto.decrypt('abc', aesKey), undefined)
})

test('any text survives encryption, whatever its length and the padding of the other side', (t) => {
  const { aesKey } = crypto.openSession('admin', challenge)
  fc.assert(
    fc.property(fc.json(), (text) => {
      const cipher = createCipheriv('aes-256-ecb', aesKey, null)
      const pkcs7 = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]).toString('base64')
      return crypto.decrypt(crypto.encrypt(text, aesKey), aesKey) === text && crypto.decrypt(pkcs7, aesKey) === text
    }),
    { numRuns: 200 },
  )
  t.pass()
})

test('v3 tokens are those of the vendor', (t) => {
  const digest = crypto.v3Digest('set.miner.pools', 'super', '5QAHiKMb', 1692685512)
  t.is(digest.toString('hex'), 'b7957365d05ec273e788a1034d1a4b0df51b295a3da79d14f46b2bf7b56e4ab3')
  t.is(crypto.v3Token(digest), 't5VzZdBe')
  t.is(crypto.v3Token(crypto.v3Digest('set.system.led', 'super', 'uhCiDyVj', 1773869570)), 'U0KnM8ty')
})

test('v3 parameters are encrypted with the digest of their command', (t) => {
  const digest = crypto.v3Digest('set.miner.pools', 'super', '5QAHiKMb', 1692685512)
  const param = [{ pool: 'stratum+tcp://pool:3333', worker: 'worker', passwd: 'x' }]
  const vendor =
    'M7c6KBuUVIiP+BnrFxPBexRUr3Zw94Ng42eBDFq02W9o7MSxcGd0EcmSwVx72paF9s8xliqcLqi00gxEFa8AzpW/A3R+69wXNkHPuGtqhA4='
  t.alike(JSON.parse(crypto.decrypt(vendor, digest) ?? ''), param)
  t.alike(JSON.parse(crypto.decrypt(crypto.v3EncryptParam(param, digest), digest) ?? ''), param)
})
