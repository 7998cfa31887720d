import type { Payment } from '#model'
import { read } from '../define.js'
import { type Fields, fields, num, rows, str } from '../kit/json.js'
import { defined, tidy } from '../kit/values.js'
import { type WebRequest, webApi } from '../kit/web-api.js'
import {
  accountOf,
  bounded,
  btc,
  day,
  definePool,
  fiveMinutes,
  minute,
  newest,
  part,
  paymentsBackMs,
  ths,
  timeOf,
} from './pool.js'

const api = webApi({ name: 'OCEAN', baseUrl: () => 'https://api.ocean.xyz', gapMs: 1000 })
const hour = 3_600_000

const ask =
  (path: string): WebRequest =>
  (call, io) =>
    call(`${path}/${encodeURIComponent(accountOf(io))}`)

interface Earnings {
  readonly payments: Payment[]
  readonly last24hBtc: number
}

const earnings: WebRequest<Earnings> = async (call, io) => {
  const now = io.clock.now()
  const start = Math.floor((now - paymentsBackMs) / 1000)
  const reply = part(await call(`/v1/earnpay/${encodeURIComponent(accountOf(io))}/${start}`), 'result')
  const earned = newest(
    rows(reply.earnings).map((row) => ({
      type: 'revenue' as const,
      at: timeOf(row.ts),
      amountBtc: btc(row.satoshis_net_earned),
      id: str(row.block_hash),
    })),
  )
  const paid = newest(
    rows(reply.payouts).map((row) => ({
      type: 'payout' as const,
      at: timeOf(row.ts),
      amountBtc: btc(row.total_satoshis_net_paid),
      id: str(row.on_chain_txid),
    })),
  )
  const fresh = earned.filter(({ at }) => at > now - day)
  return {
    payments: newest([...earned, ...paid]),
    last24hBtc: tidy(fresh.reduce((sum, { amountBtc }) => sum + amountBtc, 0)),
  }
}

/** Each worker is a list of one. One that sent nothing in the last minute is away. */
function workersOf(result: Fields) {
  const workers = Object.entries(fields(result.workers)).map(([name, list]) => {
    const rate = rows(list)[0] ?? {}
    const now = num(rate.hashrate_60s)
    return defined({
      name,
      online: now === undefined ? undefined : now > 0,
      hashrateThs: ths(rate.hashrate_60s),
      hashrate1hThs: ths(rate.hashrate_3600s),
      hashrate24hThs: ths(rate.hashrate_86400s),
    })
  })
  return bounded(workers)
}

/** OCEAN (protocols/pools.md §2): no key; the account is the payout address. Rates are H/s, sometimes as text; amounts satoshis. */
export const ocean = definePool({
  library: 'pool-ocean',
  make: 'OCEAN',
  reads: {
    rate: read(api, ask('/v1/user_hashrate'), (reply) => part(reply, 'result'), { everyMs: minute }),
    workers: read(api, ask('/v1/user_hashrate_full'), (reply) => part(reply, 'result'), { everyMs: fiveMinutes }),
    earnings: read(api, earnings, (reply) => reply as Earnings, { everyMs: hour }),
  },
  telemetry: (from) => ({
    hashrateThs: from('rate', (rate) => ths(rate.hashrate_60s)),
    hashrate1mThs: from('rate', (rate) => ths(rate.hashrate_60s)),
    hashrate5mThs: from('rate', (rate) => ths(rate.hashrate_300s)),
    hashrate30mThs: from('rate', (rate) => ths(rate.hashrate_1800s)),
    hashrate1hThs: from('rate', (rate) => ths(rate.hashrate_3600s)),
    hashrate24hThs: from('rate', (rate) => ths(rate.hashrate_86400s)),
    activeWorkers: from('rate', (rate) => num(rate.active_worker_count)),
    workers: from('workers', workersOf),
    workerCount: from('workers', (result) => Object.keys(fields(result.workers)).length),
    revenue24hBtc: from('earnings', (found) => found.last24hBtc),
    payments: from('earnings', (found) => found.payments),
  }),
  defaults: { intervalMs: fiveMinutes, timeoutMs: 30_000, credentials: [] },
})
