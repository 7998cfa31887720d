import { errorInfo, SdkError } from '#model'
import { type Caller, type Contract, type Endpoint, type Method, type RpcScope, scopes } from './contract.js'
import { encodeError, methodOf } from './wire.js'

/** Throws if the caller may not; returns if it may. */
export type May = (caller: Caller, method: Method, name: string) => void

/** The lock before an endpoint: decided on the method's name alone, before any of the caller's input is parsed. */
export function guard(contract: Contract, endpoint: Endpoint, may: May): Endpoint {
  // Not async: a promise that is handed through costs nothing.
  return (request, caller) => {
    try {
      const name = methodOf(request)
      const method = Object.hasOwn(contract.methods, name) ? contract.methods[name] : undefined
      if (!method) throw new SdkError('METHOD_NOT_FOUND', `${contract.name} has no method ${name}`)
      may(caller, method, name)
    } catch (error) {
      return Promise.resolve(encodeError(errorInfo(error)))
    }
    return endpoint(request, caller)
  }
}

export function includes(held: RpcScope, needed: RpcScope): boolean {
  return scopes.indexOf(held) >= scopes.indexOf(needed)
}

/** What a scope can be limited to, as grants have it. An absent list limits nothing. */
export const callerLimits = ['sites', 'libraries', 'devices'] as const

/** The asked caller, with no more than the holder may: the smaller scope, and of every limit only what both have. */
export function narrow(holder: Caller, asked: Caller): Caller {
  const both: { -readonly [K in keyof Caller]: Caller[K] } = { ...asked }
  delete both.because
  if (!includes(holder.scope, asked.scope)) {
    both.scope = holder.scope
    if (holder.because !== undefined) both.because = holder.because
  }
  for (const limit of callerLimits) {
    const held = holder[limit]
    if (held) both[limit] = asked[limit]?.filter((name) => held.includes(name)) ?? held
  }
  // Over whose connection it came is not for the caller to say.
  delete both.key
  if (holder.key !== undefined) both.key = holder.key
  return both
}

/** The rule of what concerns the whole fleet: the caller's scope covers the method's. */
export const mayCall: May = (caller, method, name) => {
  if (!includes(caller.scope, method.needs))
    throw new SdkError(
      'FORBIDDEN',
      `${name} needs the scope ${method.needs}, ${caller.id} holds ${caller.scope}${caller.because ? `: ${caller.because}` : ''}`,
    )
}

/** The rule of every other endpoint: and its sites, if limited, name this site. */
export function mayAt(site: string): May {
  return (caller, method, name) => {
    mayCall(caller, method, name)
    if (caller.sites && !caller.sites.includes(site))
      throw new SdkError('FORBIDDEN', `${caller.id} may not act at the site ${site}`)
  }
}

/** The rule where a device is named: the caller's limits, if any, name its library and itself. Throws FORBIDDEN. */
export function mayTouch(caller: Caller, device: { readonly library: string; readonly id: string }): void {
  mayUse(caller, device.library)
  if (caller.devices && !caller.devices.includes(device.id))
    throw new SdkError('FORBIDDEN', `${caller.id} is limited to other devices than ${device.id}`)
}

/** The rule where devices are added: who is limited to some may add none. Throws FORBIDDEN. */
export function mayAdd(caller: Caller, library: string): void {
  mayUse(caller, library)
  if (caller.devices) throw new SdkError('FORBIDDEN', `${caller.id} is limited to some devices and may add none`)
}

/** The rule where a library is named. Throws FORBIDDEN. */
export function mayUse(caller: Caller, library: string): void {
  if (caller.libraries && !caller.libraries.includes(library))
    throw new SdkError('FORBIDDEN', `${caller.id} is limited to other libraries than ${library}`)
}
