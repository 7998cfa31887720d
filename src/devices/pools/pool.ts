import { type Payment, type PoolWorker, SdkError, Type } from '#model'
import { type Commands, type Device, type DeviceDefinition, defineDevice, type Probe, type Reads } from '../define.js'
import type { Io } from '../io.js'
import { type Fields, num, str } from '../kit/json.js'
import { tidy } from '../kit/values.js'
import { httpsPort, webOptions } from '../kit/web-api.js'

export const minute = 60_000
export const fiveMinutes = 300_000
export const day = 86_400_000
/** Payments are asked for so far back, and so many of the newest are kept. */
export const paymentsBackMs = 30 * day
const mostPayments = 100
/** So many workers of an account are kept. */
const mostWorkers = 10_000

export const PoolOptionsSchema = Type.Object(
  {
    ...webOptions,
    account: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'The account at the pool (user, subaccount, payout address); default: the `host` of the device.',
      }),
    ),
  },
  { additionalProperties: false },
)

/** The account is what the operator gives as host: several of one pool are several devices. */
export function accountOf(io: Io): string {
  return str((io.options as { account?: unknown } | undefined)?.account) ?? io.host
}

/** Nothing is asked: what it is, only its operator can say. */
const probe: Probe = { name: "operator's word", port: httpsPort, run: async (io) => io.said?.library }

type Own = 'kind' | 'mainPort' | 'models' | 'identify' | 'reach' | 'commands' | 'family'

/** A definition of a service on the web: it has no hardware, takes no commands, and is there because its operator says so. */
export function definePool<R extends Reads>(definition: Omit<DeviceDefinition<R>, Own>): Device {
  const commands: Commands = {}
  return defineDevice({
    family: 'web',
    options: PoolOptionsSchema,
    ...definition,
    kind: 'pool',
    mainPort: httpsPort,
    models: {},
    reach: 'named',
    identify: {
      probes: [probe],
      match: (seen) =>
        seen.answer(probe) === definition.library ? { confidence: 1, why: ['its operator says so'] } : undefined,
    },
    commands,
  })
}

/** TH/s of H/s, a number or its text. */
export function ths(value: unknown): number | undefined {
  const rate = num(value)
  return rate === undefined ? undefined : tidy(rate / 1e12)
}

/** BTC of satoshis. */
export function btc(value: unknown): number | undefined {
  const sats = num(value)
  return sats === undefined ? undefined : tidy(sats / 1e8)
}

/** ms since the epoch, of seconds or of a date's text. */
export function timeOf(value: unknown): number | undefined {
  const seconds = num(value)
  if (seconds !== undefined && !/[-:T]/.test(String(value).slice(1))) return Math.round(seconds * 1000)
  const at = Date.parse(String(value))
  return Number.isNaN(at) ? undefined : at
}

/** `YYYY-MM-DD`. */
export function dateOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

/** A payment as a pool may tell it. */
type Told = { readonly [K in keyof Payment]?: Payment[K] | undefined } & Pick<Payment, 'type'>

/** The newest first, as many as are kept; those without time or amount are none. */
export function newest(payments: readonly Told[]): Payment[] {
  return payments
    .flatMap(({ type, at, amountBtc, id = null }) =>
      at === undefined || amountBtc === undefined ? [] : [{ type, at, amountBtc, id }],
    )
    .sort((a, b) => b.at - a.at)
    .slice(0, mostPayments)
}

export function bounded(workers: readonly PoolWorker[]): PoolWorker[] {
  return workers.slice(0, mostWorkers)
}

/** The object at a key of a reply; throws DEVICE_BAD_REPLY if it is none. */
export function part(reply: unknown, key: string): Fields {
  const found = typeof reply === 'object' && reply !== null ? (reply as Fields)[key] : undefined
  if (typeof found !== 'object' || found === null || Array.isArray(found))
    throw new SdkError('DEVICE_BAD_REPLY', `the reply has no ${key}`)
  return found as Fields
}
