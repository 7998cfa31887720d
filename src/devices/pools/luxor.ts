import type { Payment } from '#model'
import { read } from '../define.js'
import { type Fields, fields, num, rows, str } from '../kit/json.js'
import { defined, object, tidy } from '../kit/values.js'
import { type WebRequest, webApi } from '../kit/web-api.js'
import {
  accountOf,
  bounded,
  dateOf,
  day,
  definePool,
  fiveMinutes,
  minute,
  newest,
  paymentsBackMs,
  ths,
  timeOf,
} from './pool.js'

const api = webApi({
  name: 'Luxor',
  baseUrl: () => 'https://app.luxor.tech/api',
  gapMs: 1000,
  keyHeader: 'authorization',
})

const pageSize = 1000
/** An account with more workers, or more payments in a month, is read as far as this. */
const mostPages = 10

/** Page after page until the pool says that there is no next one. */
async function pages(call: (page: string) => Promise<unknown>): Promise<Fields[]> {
  const all: Fields[] = []
  for (let page = 1; page <= mostPages; page++) {
    const reply = object(await call(`page_number=${page}&page_size=${pageSize}`), 'the page')
    all.push(reply)
    if (str(fields(reply.pagination).next_page_url) === undefined) break
  }
  return all
}

const summary: WebRequest = (call, io) =>
  call(`/v2/pool/summary/BTC?subaccount_names=${encodeURIComponent(accountOf(io))}`)

const workers: WebRequest<Fields[]> = (call, io) =>
  pages((page) => call(`/v2/pool/workers/BTC?subaccount_names=${encodeURIComponent(accountOf(io))}&${page}`))

const payments: WebRequest<Payment[]> = async (call, io) => {
  const now = io.clock.now()
  const span = `start_date=${dateOf(now - paymentsBackMs)}&end_date=${dateOf(now)}`
  const all = await pages((page) =>
    call(`/v2/pool/transactions/BTC?subaccount_names=${encodeURIComponent(accountOf(io))}&${span}&${page}`),
  )
  return newest(
    all
      .flatMap(({ transactions }) => rows(transactions))
      .filter(({ currency_type }) => currency_type === 'BTC')
      .map((row) => ({
        type: row.transaction_type === 'debit' ? ('payout' as const) : ('revenue' as const),
        at: timeOf(row.date_time),
        amountBtc: num(row.currency_amount),
        id: str(row.transaction_id),
      })),
  )
}

/** The sum of a list's amounts of bitcoin; undefined if there is none. */
function inBitcoin(list: unknown, key: string): number | undefined {
  const amounts = rows(list).flatMap((row) => (row.currency_type === 'BTC' ? [num(row[key]) ?? []].flat() : []))
  return amounts.length === 0 ? undefined : tidy(amounts.reduce((sum, amount) => sum + amount, 0))
}

function workersOf(all: readonly Fields[]) {
  return bounded(
    all
      .flatMap(({ workers: list }) => rows(list))
      .flatMap((row) => {
        const name = str(row.name) ?? str(row.id)
        if (name === undefined) return []
        const { status } = row
        return [
          defined({
            name,
            online: status === 'ACTIVE' ? true : status === 'INACTIVE' ? false : undefined,
            hashrateThs: ths(row.hashrate),
            lastShareAt: timeOf(row.last_share_time),
          }),
        ]
      }),
  )
}

/** Of the first page: the pool tells it with each. */
function total([first]: readonly Fields[], ...keys: readonly string[]): number | undefined {
  const counts = keys.map((key) => num(first?.[key]))
  return counts.some((count) => count === undefined)
    ? undefined
    : counts.reduce<number>((sum, count) => sum + count!, 0)
}

/**
 * Luxor (protocols/pools.md §3): key in a header, rates in H/s as text, lists in pages. Its hashprice is not taken: the reference does not say
 * in which unit it is.
 */
export const luxor = definePool({
  library: 'pool-luxor',
  make: 'Luxor',
  reads: {
    summary: read(api, summary, (reply) => object(reply, 'the summary'), { everyMs: minute }),
    workers: read(api, workers, (reply) => reply as Fields[], { everyMs: fiveMinutes }),
    payments: read(api, payments, (reply) => reply as Payment[], { everyMs: day }),
  },
  telemetry: (from) => ({
    hashrateThs: from('summary', (info) => ths(info.hashrate_5m)),
    hashrate5mThs: from('summary', (info) => ths(info.hashrate_5m)),
    hashrate1hThs: from('summary', (info) => ths(info.hashrate_1h)),
    hashrate24hThs: from('summary', (info) => ths(info.hashrate_24h)),
    staleHashrate1hThs: from('summary', (info) => ths(info.hashrate_stale_1h)),
    staleHashrate24hThs: from('summary', (info) => ths(info.hashrate_stale_24h)),
    poolUptimePct: from('summary', (info) => share(info.uptime_24h)),
    revenue24hBtc: from('summary', (info) => inBitcoin(info.revenue_24h, 'revenue')),
    balanceBtc: from('summary', (info) => inBitcoin(info.balance, 'revenue')),
    workers: from('workers', workersOf),
    workerCount: from('workers', (all) => total(all, 'total_active', 'total_inactive')),
    activeWorkers: [
      from('summary', (info) => num(info.active_miners)),
      from('workers', (all) => total(all, 'total_active')),
    ],
    payments: from('payments', (list) => list),
  }),
  defaults: { intervalMs: fiveMinutes, timeoutMs: 40_000, credentials: [] },
})

function share(value: unknown): number | undefined {
  const part = num(value)
  return part === undefined ? undefined : tidy(part * 100)
}
