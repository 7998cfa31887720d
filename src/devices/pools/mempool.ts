import { SdkError } from '#model'
import { read } from '../define.js'
import { type Fields, fields, num, rows } from '../kit/json.js'
import { object, tidy } from '../kit/values.js'
import { type WebRequest, webApi } from '../kit/web-api.js'
import { btc, definePool, fiveMinutes, ths } from './pool.js'

/** Self-hosted or the public one: the host of the device is where it is. */
const api = webApi({ name: 'mempool', baseUrl: ({ host }) => `https://${host}/api`, gapMs: 1000 })

const halfHour = 1_800_000
const halfDay = 43_200_000
const secondsADay = 86_400

const ask =
  (path: string): WebRequest =>
  (call) =>
    call(path)
const height: WebRequest = (call) => call('/blocks/tip/height', { as: 'text' })

function parseHeight(reply: unknown): number {
  const blocks = num(reply)
  if (blocks === undefined || !Number.isInteger(blocks))
    throw new SdkError('DEVICE_BAD_REPLY', 'the height is no number')
  return blocks
}

/** The newest mean of what a block brings, satoshis. */
function newestReward(list: readonly Fields[]): number | undefined {
  const last = [...list].sort((a, b) => (num(b.timestamp) ?? 0) - (num(a.timestamp) ?? 0))[0]
  return num(last?.avgRewards)
}

/** What 1 TH/s earns in a day at this difficulty: each hash wins with the chance of 1 in difficulty times 2^32 (protocols/pools.md §5). */
function hashprice(difficulty: number | undefined, rewardSat: number | undefined): number | undefined {
  if (!difficulty || rewardSat === undefined) return undefined
  return tidy((1e12 * rewardSat * secondsADay) / (difficulty * 2 ** 32))
}

const json = (what: string) => (reply: unknown) => object(reply, what)

/** The Bitcoin network as mempool.space or one of its own kind tells it (protocols/pools.md §5). No key. */
export const mempool = definePool({
  library: 'network-mempool',
  make: 'mempool',
  reads: {
    height: read(api, height, parseHeight, { everyMs: fiveMinutes }),
    adjustment: read(api, ask('/v1/difficulty-adjustment'), json('the adjustment'), { everyMs: fiveMinutes }),
    fees: read(api, ask('/v1/fees/recommended'), json('the fees'), { everyMs: fiveMinutes }),
    prices: read(api, ask('/v1/prices'), json('the prices'), { everyMs: fiveMinutes }),
    rate: read(api, ask('/v1/mining/hashrate/3d'), json('the hashrate'), { everyMs: halfHour }),
    rewards: read(api, ask('/v1/mining/blocks/rewards/3y'), (reply) => rows(reply).map(fields), { everyMs: halfDay }),
  },
  telemetry: (from) => ({
    blockHeight: from('height', (blocks) => blocks),
    difficulty: from('rate', (info) => num(info.currentDifficulty)),
    networkHashrateThs: from('rate', (info) => ths(info.currentHashrate)),
    nextAdjustmentPct: from('adjustment', (info) => num(info.difficultyChange)),
    blocksToAdjustment: from('adjustment', (info) => num(info.remainingBlocks)),
    feeFastSatVb: from('fees', (info) => num(info.fastestFee)),
    feeHourSatVb: from('fees', (info) => num(info.hourFee)),
    feeMinimumSatVb: from('fees', (info) => num(info.minimumFee)),
    priceUsd: from('prices', (info) => num(info.USD)),
    blockRewardBtc: from('rewards', (list) => btc(newestReward(list))),
    hashpriceSatThDay: from('rate', (info, _, { rewards }) =>
      hashprice(num(info.currentDifficulty), rewards && newestReward(rewards)),
    ),
  }),
  defaults: { intervalMs: halfHour, timeoutMs: 30_000, credentials: [] },
})
