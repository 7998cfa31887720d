import { SdkError } from '#model'
import type { Credentials, Io } from '../io.js'
import { rpcPort } from './cgminer.js'
import { fields, str } from './json.js'
import { type RestRequest, rest } from './rest.js'
import { words } from './values.js'

/**
 * ePIC's REST interface (protocols/epic.md §1): plain HTTP on the port where others have their RPC. Reads need no login; a write carries
 * the password in its body and says in its answer, not in its status, whether it was taken.
 */
export const epicClient = rest('epic', rpcPort)

export const factoryPassword = 'letmein'
const factory: readonly Credentials[] = [{ username: '', password: factoryPassword }]

/** Throws as the REST client does. */
export function epic(io: Io, path: string, request: Partial<RestRequest> = {}): Promise<unknown> {
  return epicClient.call(io, { ...request, path })
}

/**
 * One write, with the passwords in order until one is taken; only a wrong one leads to the next. Throws DEVICE_AUTH, or DEVICE_REFUSED
 * with the miner's own words.
 */
export async function epicWrite(io: Io, path: string, param: unknown = null): Promise<void> {
  await withPassword(io, async (password) => throwIfRefused(await epic(io, path, { json: { param, password } })))
}

/** A lost answer of a write that cuts the connection is no failure: the read-back decides. */
export async function epicWriteAndLeave(io: Io, path: string, param: unknown = null): Promise<void> {
  try {
    await epicWrite(io, path, param)
  } catch (error) {
    io.signal.throwIfAborted()
    if (!(error instanceof SdkError) || error.code !== 'DEVICE_TIMEOUT') throw error
  }
}

/** The job with each password in turn, until one is not refused. Answers the one that was taken. */
export async function withPassword(io: Io, job: (password: string) => Promise<unknown>): Promise<string> {
  let last: unknown
  for (const { password } of io.credentials.length > 0 ? io.credentials : factory) {
    try {
      await job(password)
      return password
    } catch (error) {
      if (!(error instanceof SdkError) || error.code !== 'DEVICE_AUTH') throw error
      last = error
    }
  }
  throw last
}

export function throwIfRefused(reply: unknown) {
  const { result, error } = fields(reply)
  if (result !== false && str(error) === undefined) return
  const reason = words(error)
  if (/passw|auth|credential/i.test(reason ?? ''))
    throw new SdkError('DEVICE_AUTH', `the device refuses the password: ${reason}`)
  throw new SdkError('DEVICE_REFUSED', reason ?? 'the device refuses it and gives no reason')
}
