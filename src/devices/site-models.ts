import { type Static, Type } from '#model'
import type { Device, Model } from './define.js'

const strict = { additionalProperties: false } as const
const atLeast1 = Type.Optional(Type.Integer({ minimum: 1, maximum: 4096 }))
const above0 = Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1e6 }))

/** Facts of hardware that a site knows before we do, by model as the device reports it (`S25 Pro`, `M99S VH10`). */
export const SiteModelsSchema = Type.Record(
  Type.String({ minLength: 1, maxLength: 64 }),
  Type.Object(
    {
      boards: atLeast1,
      chips: Type.Optional(Type.Integer({ minimum: 1, maximum: 4096, description: 'Chips a board.' })),
      fans: Type.Optional(Type.Integer({ minimum: 0, maximum: 64 })),
      cooling: Type.Optional(Type.Enum(['air', 'hydro', 'immersion'])),
      nominalHashrateThs: above0,
      efficiencyJTh: above0,
      maxPowerW: above0,
    },
    { ...strict, minProperties: 1 },
  ),
)
export type SiteModels = Static<typeof SiteModelsSchema>

/** Makes, separators and spellings say nothing: `Antminer S21 Pro+`, `S21-Pro+` and `S21ProPlus` are one name. */
export function plainModel(name: string): string {
  return name
    .toUpperCase()
    .replace(/ANTMINER|WHATSMINER|AVALONMINER|AVALON/g, '')
    .replace(/PLUS/g, '+')
    .replace(/[^A-Z0-9+]/g, '')
}

/** The device with the site's own rows: each fact of a row stands before the built-in one, what it does not say stays. */
export function withModels(device: Device, rows: SiteModels | undefined): Device {
  const own = new Map(Object.entries(rows ?? {}).map(([name, row]) => [plainModel(name), row as Model]))
  if (own.size === 0) return device
  return Object.freeze({
    ...device,
    models: { ...device.models, ...rows },
    modelOf(model: string, variant?: string) {
      const row = own.get(plainModel(`${model}${variant ?? ''}`)) ?? own.get(plainModel(model))
      const known = device.modelOf(model, variant)
      return row ? { ...known, ...row } : known
    },
  })
}
