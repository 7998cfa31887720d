import * as nodeModule from 'node:module'

/** `import ... from 'miningsdk'` of a library gives the SDK that runs, whatever lies beside the library. */
const hooks = `
let sdk
export const initialize = (url) => { sdk = url }
export const resolve = (specifier, context, next) =>
  next(specifier === 'miningsdk' ? sdk : specifier, context)`

type Next = (specifier: string, context: unknown) => { url: string }
type Resolve = (specifier: string, context: unknown, next: Next) => { url: string }

/** Newer than the oldest Node that we run on: hooks in this thread. */
const { registerHooks } = nodeModule as { registerHooks?: (hooks: { resolve: Resolve }) => void }

let done = false

/** From now on every library of this process gets the SDK of this process; `url` is its public face. */
export function giveSdk(url: string): void {
  if (done) return
  done = true
  if (registerHooks)
    registerHooks({ resolve: (specifier, context, next) => next(specifier === 'miningsdk' ? url : specifier, context) })
  else nodeModule.register(`data:text/javascript,${encodeURIComponent(hooks)}`, { data: url })
}
