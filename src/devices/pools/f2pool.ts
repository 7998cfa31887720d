import { type Payment, SdkError } from '#model'
import { read } from '../define.js'
import { type Fields, fields, num, rows, str } from '../kit/json.js'
import { defined, tidy } from '../kit/values.js'
import { type WebRequest, webApi } from '../kit/web-api.js'
import {
  accountOf,
  bounded,
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

const api = webApi({
  name: 'F2Pool',
  baseUrl: () => 'https://api.f2pool.com',
  gapMs: 1000,
  keyHeader: 'F2P-API-SECRET',
})

/** An error comes with status 200 and a code of its own; of these two the key is the cause. */
const keyCodes: readonly unknown[] = [5010, 5011]

const ask =
  (path: string, more: (now: number) => object = () => ({})): WebRequest<Fields> =>
  async (call, io) => {
    const json = { mining_user_name: accountOf(io), currency: 'bitcoin', ...more(io.clock.now()) }
    const reply = fields(await call(path, { json }))
    const code = num(reply.code) ?? 0
    if (code === 0) return reply
    throw new SdkError(keyCodes.includes(code) ? 'DEVICE_AUTH' : 'DEVICE_REFUSED', `${path}: ${str(reply.msg) ?? code}`)
  }

const payments: WebRequest<Payment[]> = async (call, io) => {
  const found: Payment[] = []
  for (const type of ['revenue', 'payout'] as const) {
    const span = (now: number) => ({
      type,
      start_time: Math.floor((now - paymentsBackMs) / 1000),
      end_time: Math.floor(now / 1000),
    })
    const { transactions } = await ask('/v2/assets/transactions/list', span)(call, io)
    const told = rows(transactions).map((row) => ({
      type,
      at: timeOf(row.created_at),
      amountBtc: absolute(row.changed_balance),
      id: str(row.id),
    }))
    found.push(...newest(told))
  }
  return newest(found)
}

/** A payout lowers the balance; what was paid is no negative amount. */
function absolute(value: unknown): number | undefined {
  const amount = num(value)
  return amount === undefined ? undefined : Math.abs(amount)
}

function workersOf(list: readonly Fields[]) {
  return bounded(
    list.flatMap((row) => {
      const rate = fields(row.hash_rate_info)
      const name = str(rate.name) ?? str(row.name)
      if (name === undefined) return []
      return [
        defined({
          name,
          online: num(row.status) === undefined ? undefined : num(row.status) === 0,
          hashrateThs: ths(rate.hash_rate),
          hashrate1hThs: ths(rate.h1_hash_rate),
          hashrate24hThs: ths(rate.h24_hash_rate),
          staleHashrate24hThs: ths(rate.h24_stale_hash_rate),
          lastShareAt: timeOf(row.last_share_at),
        }),
      ]
    }),
  )
}

/** F2Pool v2 (protocols/pools.md §1): every call is a POST with the key in a header; amounts are BTC, rates H/s. */
export const f2pool = definePool({
  library: 'pool-f2pool',
  make: 'F2Pool',
  reads: {
    rate: read(api, ask('/v2/hash_rate/info'), (reply) => part(reply, 'info'), { everyMs: minute }),
    balance: read(api, ask('/v2/assets/balance'), (reply) => part(reply, 'balance_info'), { everyMs: fiveMinutes }),
    workers: read(api, ask('/v2/hash_rate/worker/list'), (reply) => rows(fields(reply).workers), {
      everyMs: fiveMinutes,
    }),
    payments: read(api, payments, (reply) => reply as Payment[], { everyMs: day }),
  },
  telemetry: (from) => ({
    hashrateThs: from('rate', (info) => ths(info.hash_rate)),
    hashrate1hThs: from('rate', (info) => ths(info.h1_hash_rate)),
    hashrate24hThs: from('rate', (info) => ths(info.h24_hash_rate)),
    staleHashrate1hThs: from('rate', (info) => ths(info.h1_stale_hash_rate)),
    staleHashrate24hThs: from('rate', (info) => ths(info.h24_stale_hash_rate)),
    balanceBtc: from('balance', (info) => num(info.balance)),
    paidBtc: from('balance', (info) => num(info.paid)),
    unsettledBtc: from('balance', (info) => difference(num(info.total_income), num(info.paid))),
    // Of the last day that is settled: the pool has no figure of the last 24 h.
    revenue24hBtc: from('balance', (info) => num(info.yesterday_income)),
    estimatedTodayBtc: from('balance', (info) => num(info.estimated_today_income)),
    workers: from('workers', workersOf),
    workerCount: from('workers', (list) => list.length),
    activeWorkers: from('workers', (list) => list.filter(({ status }) => num(status) === 0).length),
    payments: from('payments', (list) => list),
  }),
  defaults: { intervalMs: fiveMinutes, timeoutMs: 30_000, credentials: [] },
})

function difference(all: number | undefined, part: number | undefined): number | undefined {
  return all === undefined || part === undefined ? undefined : tidy(all - part)
}
