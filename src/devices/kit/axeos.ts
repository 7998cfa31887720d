import { SdkError } from '#model'
import type { Probe } from '../define.js'
import type { Io } from '../io.js'
import { type HttpRequest, webPort } from './http.js'
import { rest } from './rest.js'
import { mayBe } from './signs.js'

/** The REST interface of ESP-Miner and what descends from it (protocols/bitaxe.md): no login, one request at a time. */
export const axeos = rest('axeos', webPort)

export const infoPath = '/api/system/info'
export const asicPath = '/api/system/asic'

/** Whether it is one of them is only to be had by asking. */
export const axeosInfo: Probe = {
  name: 'axeos system info',
  port: webPort,
  when: mayBe('axeos'),
  run: (io) => axeos.call(io, { path: infoPath }),
}

const closed =
  'the device lets only its own private network in, or wants a one-time code: allow this address, or switch the code off'

/** One change; a status 401 means that we are of a network that it does not answer. */
export async function axeosWrite(
  io: Io,
  method: HttpRequest['method'],
  path: string,
  json?: unknown,
): Promise<unknown> {
  try {
    return await axeos.call(io, {
      ...(method ? { method } : {}),
      path,
      ...(json === undefined ? {} : { json }),
      as: 'text',
    })
  } catch (error) {
    if (error instanceof SdkError && error.code === 'DEVICE_AUTH')
      throw new SdkError('DEVICE_AUTH', closed, { cause: error })
    throw error
  }
}
