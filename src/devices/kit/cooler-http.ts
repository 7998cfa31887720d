import { SdkError, toSdkError } from '#model'
import type { Io, PortName, Protocol, Reply } from '../io.js'
import { http, statusError } from './http.js'
import { type Fields, fields, parseJson } from './json.js'

/** The cooler of an ANTSPACE (protocols/containers.md §B): every operation is a GET, also those that change something. */
export const coolerPort: PortName = { name: 'http', default: 8000 }

export interface CoolerRequest {
  readonly operation: string
  readonly temp?: string
  /** It changes something: never sent twice. */
  readonly once?: boolean
}

/** The `params` of the answer. Throws DEVICE_REFUSED with the cooler's words, DEVICE_BAD_REPLY if it is another operation's. */
export async function askCooler(io: Io, { operation, temp, once = false }: CoolerRequest): Promise<Fields> {
  const path = `/cooler?operation=${operation}${temp === undefined ? '' : `&temp=${encodeURIComponent(temp)}`}`
  const response = await http(io, coolerPort, { path, once })
  const answer = fields(safely(response.body))
  if (typeof answer.error === 'string') {
    const code = answer.error === 'ERR_UNSUPPORTED' ? 'DEVICE_UNSUPPORTED' : 'DEVICE_REFUSED'
    throw new SdkError(code, `${operation}: the cooler says ${answer.error.slice(0, 100)}`)
  }
  const wrong = statusError(response, path)
  if (wrong) throw wrong
  if (answer.ok !== true) throw new SdkError('DEVICE_REFUSED', `${operation}: the cooler does not say ok`)
  if (answer.method !== operation)
    throw new SdkError('DEVICE_BAD_REPLY', `the answer is to another operation than ${operation}`)
  return fields(answer.params)
}

function safely(body: Buffer): unknown {
  try {
    return parseJson(body)
  } catch (error) {
    if (toSdkError(error).code === 'DEVICE_TIMEOUT') throw error
    return undefined
  }
}

export const cooler: Protocol<CoolerRequest> = {
  name: 'antspace cooler',
  port: coolerPort,
  async ask(io, requests) {
    const replies: Reply[] = []
    for (const request of requests) {
      try {
        replies.push({ value: await askCooler(io, request) })
      } catch (error) {
        replies.push({ error: toSdkError(error, 'DEVICE_UNREACHABLE') })
      }
    }
    return replies
  },
}
