import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCode, errorCodes, type Log, SdkError } from '#model'
import { gatewayError, problemOf, problemType } from './problem.js'

/** Also where no hook has run yet: a path that cannot be decoded is refused before anything else. */
const problemHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
}

/** Answers any error as problem+json; what broke inside goes to the log, with the request's id and not to the caller. */
export function answerError(log: Log, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = gatewayError(error)
  const problem = problemOf(known, request.url, request.id)
  if (request.state) request.state.code = known.code
  if (known.code === 'INTERNAL') {
    log.error(
      { err: error, request: request.id, method: request.method, path: problem.instance },
      'a request failed inside',
    )
  }
  if (known.code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer realm="miningsdk"')
  const waitS = (known.details as { retryAfterS?: number } | undefined)?.retryAfterS
  if (waitS !== undefined) reply.header('retry-after', String(waitS))
  reply.headers(problemHeaders)
  return reply.status(problem.status).type(problemType).send(JSON.stringify(problem))
}

const cutCodes: Record<string, { code: ErrorCode; status: number; message: string }> = {
  HPE_HEADER_OVERFLOW: { code: 'TOO_LARGE', status: 431, message: 'the headers are too large' },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'TIMEOUT', status: 408, message: 'the request did not arrive in time' },
}

/** What is not HTTP, or does not come to its end: answered on the bare socket, and that closed. */
export function answerCutRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const { code, status, message } = cutCodes[error.code ?? ''] ?? {
    code: 'BAD_REQUEST',
    status: 400,
    message: 'not HTTP',
  }
  const problem = { ...problemOf(new SdkError(code, message), '/'), status }
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${status} ${errorCodes[code].title}`,
    `content-type: ${problemType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'x-content-type-options: nosniff',
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
