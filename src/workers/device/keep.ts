import { SdkError, type Static, Type } from '#model'
import type { KeepTiers } from '#replication'

const dayMs = 86_400_000
const units = { h: 3_600_000, d: dayMs, w: 7 * dayMs, y: 365 * dayMs }
const sizes = { MB: 1e6, GB: 1e9, TB: 1e12 }

const Age = Type.String({
  pattern: '^([1-9][0-9]*[hdwy]|forever)$',
  description: 'For example 36h, 14d, 2w, 1y; or forever.',
})
const Size = Type.String({ pattern: '^[1-9][0-9]*(MB|GB|TB)$', description: 'For example 500MB or 20GB.' })
const Limit = Type.Union([
  Age,
  Type.Object({ age: Type.Optional(Age), size: Type.Optional(Size) }, { additionalProperties: false }),
])

/** How much history a worker keeps, by how fine it is. */
export const KeepSchema = Type.Object(
  {
    raw: Type.Optional({ ...Limit, description: 'Every sample; 14d unless told otherwise.' }),
    '1m': Type.Optional({ ...Limit, description: 'Intervals of a minute; 90d unless told otherwise.' }),
    '5m': Type.Optional({ ...Limit, description: 'Intervals of five minutes; 1y unless told otherwise.' }),
    '1h': Type.Optional({ ...Limit, description: 'Intervals of an hour and longer; forever unless told otherwise.' }),
  },
  { additionalProperties: false },
)

/** As the store takes it. What has a size alone is kept for ever, as far as it fits. Throws BAD_REQUEST for an age or size that is none. */
export function keepOf(config: Static<typeof KeepSchema> = {}): KeepTiers {
  return Object.fromEntries(
    Object.entries(config).map(([tier, limit]) => {
      const { age, size } = typeof limit === 'string' ? { age: limit, size: undefined } : limit
      return [tier, { ...ageOf(age), ...(size !== undefined && { bytes: amount(size, sizes) }) }]
    }),
  )
}

function ageOf(age: string | undefined): { ageMs?: number } {
  return age === undefined || age === 'forever' ? {} : { ageMs: amount(age, units) }
}

function amount(text: string, units: Readonly<Record<string, number>>): number {
  const [, digits = '', unit = ''] = /^(\d+)([a-zA-Z]+)$/.exec(text) ?? []
  const factor = units[unit]
  if (!factor) throw new SdkError('BAD_REQUEST', `${JSON.stringify(text)} is no amount to keep`)
  return Number(digits) * factor
}
