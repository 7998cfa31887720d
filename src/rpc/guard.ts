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

/** The asked caller, with no more than the holder may: the smaller scope, and only the sites that both have. */
export function narrow(holder: Caller, asked: Caller): Caller {
  const scope = includes(holder.scope, asked.scope) ? asked.scope : holder.scope
  const sites =
    holder.sites && asked.sites
      ? asked.sites.filter((site) => holder.sites?.includes(site))
      : (asked.sites ?? holder.sites)
  return { ...asked, scope, ...(sites ? { sites } : {}) }
}

/** The rule of every endpoint: the caller's scope covers the method's, and its sites, if limited, name this site. */
export function mayAt(site: string): May {
  return (caller, method, name) => {
    if (!includes(caller.scope, method.needs))
      throw new SdkError('FORBIDDEN', `${name} needs the scope ${method.needs}, ${caller.id} holds ${caller.scope}`)
    if (caller.sites && !caller.sites.includes(site))
      throw new SdkError('FORBIDDEN', `${caller.id} may not act at the site ${site}`)
  }
}
