import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { SdkError } from '#model'

export interface ListenOptions {
  readonly host: string
  readonly port: number
  /** Take the next free port if this one is taken. */
  readonly fallback: boolean
}

/** How many ports are tried. */
const attempts = 50

/** Opens the port and answers which one it is. Throws PORT_IN_USE, or CONFIG_INVALID for what this machine cannot bind. */
export async function listen(app: FastifyInstance, { host, port, fallback }: ListenOptions): Promise<number> {
  const last = fallback && port !== 0 ? Math.min(port + attempts - 1, 65535) : port
  for (let next = port; ; next++) {
    try {
      await bind(app, host, next)
      return (app.server.address() as AddressInfo).port
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || next >= last) throw explain(error, host, port, last)
    }
  }
}

function bind(app: FastifyInstance, host: string, port: number): Promise<void> {
  const { server } = app
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      server.off('listening', bound)
      reject(error)
    }
    const bound = () => {
      server.off('error', failed)
      resolve()
    }
    server.once('error', failed)
    server.once('listening', bound)
    server.listen({ host, port })
  })
}

function explain(error: unknown, host: string, port: number, last: number): SdkError {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') {
    const tried =
      last > port ? `the ports ${port} to ${last} of ${host} are all taken` : `the port ${port} of ${host} is taken`
    return new SdkError('PORT_IN_USE', tried, { cause: error })
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EINVAL') {
    return new SdkError('CONFIG_INVALID', `${host} is not an address of this machine`, { cause: error })
  }
  if (code === 'EACCES')
    return new SdkError('CONFIG_INVALID', `this user may not open the port ${port}`, { cause: error })
  return new SdkError('INTERNAL', message, { cause: error })
}
