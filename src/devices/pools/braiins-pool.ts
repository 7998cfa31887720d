import type { Payment } from '#model'
import { read } from '../define.js'
import { type Fields, fields, num, rows, str } from '../kit/json.js'
import { defined, rateReader } from '../kit/values.js'
import { type WebRequest, webApi } from '../kit/web-api.js'
import { bounded, dateOf, day, definePool, fiveMinutes, newest, part, paymentsBackMs, timeOf } from './pool.js'

/** It bears about one call in 5 s. */
const api = webApi({
  name: 'Braiins Pool',
  baseUrl: () => 'https://pool.braiins.com',
  gapMs: 5000,
  keyHeader: 'Pool-Auth-Token',
})

const ask =
  (path: string): WebRequest =>
  (call) =>
    call(path)

const payments: WebRequest<Payment[]> = async (call, io) => {
  const now = io.clock.now()
  const reply = part(
    await call(`/accounts/rewards/json/btc?from=${dateOf(now - paymentsBackMs)}&to=${dateOf(now)}`),
    'btc',
  )
  return newest(
    rows(reply.daily_rewards).map((row) => ({
      type: 'revenue' as const,
      at: timeOf(row.date),
      amountBtc: num(row.total_reward),
    })),
  )
}

/** The unit stands beside the numbers: a key's rate in it. */
function rate(info: Fields, key: string): number | undefined {
  return rateReader(info.hash_rate_unit)(info[key])
}

const states = ['ok', 'low', 'off', 'dis'] as const

function counted(info: Fields, wanted: readonly (typeof states)[number][]): number | undefined {
  const counts = wanted.map((state) => num(info[`${state}_workers`]))
  return counts.every((count) => count === undefined)
    ? undefined
    : counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)
}

function workersOf(workers: Fields) {
  return bounded(
    Object.entries(workers).map(([name, value]) => {
      const worker = fields(value)
      const state = str(worker.state)
      return defined({
        name,
        online: state === undefined ? undefined : state === 'ok' || state === 'low',
        hashrateThs: rate(worker, 'hash_rate_5m'),
        hashrate1hThs: rate(worker, 'hash_rate_60m'),
        hashrate24hThs: rate(worker, 'hash_rate_24h'),
        lastShareAt: timeOf(worker.last_share),
      })
    }),
  )
}

/**
 * Braiins Pool (protocols/pools.md §4). The reference knows it from the code of others only and calls its form likely, not certain: fields have
 * changed over the years, so that what is not there is not reported. Its payouts are left out: their form is not known. The token says which
 * account it is; `host` is a name for it.
 */
export const braiinsPool = definePool({
  library: 'pool-braiins',
  make: 'Braiins',
  reads: {
    profile: read(api, ask('/accounts/profile/json/btc/'), (reply) => part(reply, 'btc'), { everyMs: fiveMinutes }),
    workers: read(api, ask('/accounts/workers/json/btc/'), (reply) => part(part(reply, 'btc'), 'workers'), {
      everyMs: fiveMinutes,
    }),
    payments: read(api, payments, (reply) => reply as Payment[], { everyMs: day }),
  },
  telemetry: (from) => ({
    hashrateThs: from('profile', (info) => rate(info, 'hash_rate_5m')),
    hashrate5mThs: from('profile', (info) => rate(info, 'hash_rate_5m')),
    hashrate1hThs: from('profile', (info) => rate(info, 'hash_rate_60m')),
    hashrate24hThs: from('profile', (info) => rate(info, 'hash_rate_24h')),
    balanceBtc: from('profile', (info) => num(info.confirmed_reward) ?? num(info.current_balance)),
    unsettledBtc: from('profile', (info) => num(info.unconfirmed_reward)),
    estimatedTodayBtc: from('profile', (info) => num(info.estimated_reward)),
    workerCount: from('profile', (info) => counted(info, states)),
    activeWorkers: from('profile', (info) => counted(info, ['ok', 'low'])),
    workers: from('workers', workersOf),
    payments: from('payments', (list) => list),
  }),
  defaults: { intervalMs: fiveMinutes, timeoutMs: 40_000, credentials: [] },
})
