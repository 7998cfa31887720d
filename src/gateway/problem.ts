import { type ErrorCode, errorCodes, type Problem, SdkError, Type, toSdkError } from '#model'

/** RFC 9457. `code` is what programs compare, `action` what the person reading it should try next. */
export const ProblemSchema = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.String(),
  /** The path that was asked for, without its query. */
  instance: Type.String(),
  action: Type.String(),
  /** Every wrong value: where it stands and what is wrong with it. */
  problems: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
})

export interface ProblemDocument {
  type: string
  title: string
  status: number
  code: ErrorCode
  detail: string
  instance: string
  action: string
  problems?: Problem[]
}

export const problemType = 'application/problem+json; charset=utf-8'

/** What fastify itself throws, by its code; everything else of it with a status below 500 is a bad request. */
const frameworkCodes: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'TOO_LARGE',
  FST_ERR_NOT_FOUND: 'NOT_FOUND',
}

/** Any thrown value as an SdkError; what is not the caller's fault and not ours by name is INTERNAL. */
export function gatewayError(error: unknown): SdkError {
  if (error instanceof SdkError) return error
  const { code, statusCode, message } = (error ?? {}) as { code?: unknown; statusCode?: unknown; message?: unknown }
  const known = typeof code === 'string' ? frameworkCodes[code] : undefined
  if (known) return new SdkError(known, String(message), { cause: error })
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    const fitting = statusCode === 413 ? 'TOO_LARGE' : statusCode === 404 ? 'NOT_FOUND' : 'BAD_REQUEST'
    return new SdkError(fitting, String(message), { cause: error })
  }
  return toSdkError(error)
}

/** The document of an error. Of INTERNAL nothing is told but where to look: its message may name files or worse. */
export function problemOf(error: SdkError, path: string, requestId?: string): ProblemDocument {
  const { status, title, action } = errorCodes[error.code]
  const hidden = requestId ? `The log has it under the request ${requestId}.` : 'The log has it.'
  const problems = (error.details as { problems?: Problem[] } | undefined)?.problems
  return {
    type: `urn:miningsdk:error:${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.code === 'INTERNAL' ? hidden : error.message,
    instance: path.split('?', 1)[0] ?? '',
    action,
    ...(Array.isArray(problems) ? { problems } : {}),
  }
}
