import { plainModel } from '#devices'

/**
 * Whether a worker of `deviceType` takes the model: the type is the model, the model with its variant, or a family that the name
 * begins with. A number or a run of `+` is never cut: `S1` is not the family of S19, `M30S+` not that of M30S++. A model that is not known
 * yet is taken: nothing speaks against it.
 */
export function acceptsType(
  deviceType: string | null | undefined,
  model: string | null | undefined,
  variant?: string | null,
): boolean {
  if (!deviceType || !model) return true
  const type = plainModel(deviceType)
  const name = plainModel(`${model}${variant ?? ''}`)
  if (!name.startsWith(type)) return false
  const last = type.at(-1) ?? ''
  const next = name.at(type.length)
  if (next === undefined) return true
  return !(isDigit(last) && isDigit(next)) && !(last === '+' && next === '+')
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9'
}
