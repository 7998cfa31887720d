/**
 * One error class, one table of codes. The table says what a caller may do (`retry`), which HTTP status the code is,
 * and what the person reading it should try next. A code never changes its meaning.
 */
interface CodeFacts {
  readonly status: number
  readonly retry: boolean
  readonly title: string
  readonly action: string
}

export const errorCodes = {
  // what the caller sent
  BAD_REQUEST: { status: 400, retry: false, title: 'The request is malformed', action: 'Correct the named field.' },
  CONFIG_INVALID: {
    status: 400,
    retry: false,
    title: 'The configuration is not valid',
    action: 'Correct the named key; `miningsdk config print` shows all keys.',
  },
  LIBRARY_INVALID: {
    status: 422,
    retry: false,
    title: 'The package is no device library that can be used',
    action: 'Correct what is named, then add it again; docs/add-a-device.md says what a library is.',
  },
  UNAUTHENTICATED: {
    status: 401,
    retry: false,
    title: 'No valid token or session',
    action: 'Send `Authorization: Bearer msdk_...` or sign in.',
  },
  FORBIDDEN: {
    status: 403,
    retry: false,
    title: 'The caller may not do this',
    action: 'Ask an admin for a grant with the needed scope.',
  },
  NOT_FOUND: { status: 404, retry: false, title: 'There is no such thing', action: 'Check the id or the path.' },
  METHOD_NOT_FOUND: {
    status: 404,
    retry: false,
    title: 'The service has no such method',
    action: 'Update the older of the two sides.',
  },
  CONFLICT: {
    status: 409,
    retry: false,
    title: 'It conflicts with what is there',
    action: 'Read the current state and decide again.',
  },
  TOO_LARGE: { status: 413, retry: false, title: 'The message is too large', action: 'Ask for less at once.' },
  RATE_LIMITED: { status: 429, retry: true, title: 'Too many requests', action: 'Wait, then try again.' },
  // ourselves
  INTERNAL: {
    status: 500,
    retry: false,
    title: 'Something broke inside',
    action: 'Look at the log of the service; report it with the log lines around it.',
  },
  UNAVAILABLE: {
    status: 503,
    retry: true,
    title: 'The service is not ready',
    action: 'Try again shortly; `miningsdk status` says what is missing.',
  },
  TIMEOUT: {
    status: 504,
    retry: true,
    title: 'It took longer than its deadline',
    action: 'Try again, or allow more time.',
  },
  CANCELLED: { status: 499, retry: false, title: 'It was cancelled', action: 'Start it again if it is still wanted.' },
  STORE_FAILED: {
    status: 500,
    retry: true,
    title: 'The store could not be read or written',
    action:
      'Check free disk space and that no other process uses the same storage folder. If it is damaged: `miningsdk restore --from-peers`.',
  },
  STORE_LOCKED: {
    status: 500,
    retry: false,
    title: 'Another process uses this storage folder',
    action: 'Stop the other process, or choose another `storage`.',
  },
  STORE_NEWER: {
    status: 500,
    retry: false,
    title: 'A newer version wrote this storage folder',
    action: 'Update the program, or choose another `storage`.',
  },
  SECRET_EXPOSED: {
    status: 500,
    retry: false,
    title: 'A secret file can be read by others',
    action: 'Take the rights of others away (`chmod 600 <file>`); if others may have read it, replace what it holds.',
  },
  SECRET_DAMAGED: {
    status: 500,
    retry: false,
    title: 'A key, vault or backup cannot be opened',
    action: 'Restore it from a backup: `miningsdk restore <file>`.',
  },
  RECORD_KEY_WRONG: {
    status: 500,
    retry: false,
    title: "The key does not open the fleet's record",
    action: 'Remove the copy of the record in `storage`, and join the fleet again with a new invite.',
  },
  PASSPHRASE_WRONG: {
    status: 400,
    retry: false,
    title: 'The passphrase is wrong or missing',
    action: 'Try again; without the passphrase nobody can open it.',
  },
  PORT_IN_USE: {
    status: 500,
    retry: false,
    title: 'The port is taken',
    action: 'Choose another port, or stop the program that has it.',
  },
  // a device
  DEVICE_UNREACHABLE: {
    status: 502,
    retry: true,
    title: 'The device does not answer',
    action: 'Check power, cable and address.',
  },
  DEVICE_TIMEOUT: {
    status: 504,
    retry: true,
    title: 'The device answered too late or not to the end',
    action: 'The controller may be busy; it is asked again.',
  },
  DEVICE_BAD_REPLY: {
    status: 502,
    retry: true,
    title: 'The reply of the device cannot be read',
    action: 'If it stays so, send the raw replies with a report.',
  },
  DEVICE_UNSUPPORTED: {
    status: 501,
    retry: false,
    title: 'The device or its firmware cannot do this',
    action: 'See the capabilities of the device.',
  },
  DEVICE_REFUSED: {
    status: 502,
    retry: false,
    title: 'The device refused',
    action: 'See the reason that the device gave.',
  },
  DEVICE_AUTH: {
    status: 502,
    retry: false,
    title: 'The device refuses the password',
    action: 'Set its credentials: `miningsdk secret set <device>`.',
  },
  DEVICE_WRITE_DISABLED: {
    status: 502,
    retry: false,
    title: 'Writing is switched off on the device',
    action: 'Change its default password and enable its API switch with the vendor tool.',
  },
  DEVICE_BUSY: {
    status: 503,
    retry: true,
    title: 'The device takes no more connections now',
    action: 'It is asked again later.',
  },
  DEVICE_UNKNOWN: {
    status: 502,
    retry: false,
    title: 'The device was not recognised',
    action: 'See what was seen; check the library of the worker.',
  },
  DEVICE_NOT_ACCEPTED: {
    status: 409,
    retry: false,
    title: 'The worker does not accept this model',
    action: 'Add it to a worker of its library without or with a matching `deviceType`.',
  },
  READ_BACK_FAILED: {
    status: 502,
    retry: true,
    title: 'The device accepted, but does not show the change',
    action: 'Look at the device; it may need longer.',
  },
  NOT_REPORTED: {
    status: 404,
    retry: false,
    title: 'The device does not report this',
    action: 'Nothing to do: this firmware has no such value.',
  },
} as const satisfies Record<string, CodeFacts>

export type ErrorCode = keyof typeof errorCodes

/** What travels: over RPC, in problem+json, in `missing`, in command results. */
export interface ErrorInfo {
  code: ErrorCode
  message: string
  details?: unknown
}

export class SdkError extends Error {
  override readonly name = 'SdkError'
  readonly code: ErrorCode
  /** Machine-readable context, for example the path of the wrong key. Never a secret. */
  readonly details: unknown

  constructor(code: ErrorCode, message?: string, options: { details?: unknown; cause?: unknown } = {}) {
    const { stackTraceLimit } = Error
    // What a device does is no fault of the program: where it was noticed says nothing, and costs more than the rest of a failed visit.
    if (code.startsWith('DEVICE_')) Error.stackTraceLimit = 0
    super(message ?? errorCodes[code].title, options.cause === undefined ? undefined : { cause: options.cause })
    Error.stackTraceLimit = stackTraceLimit
    this.code = code
    this.details = options.details
  }

  toJSON(): ErrorInfo {
    return { code: this.code, message: this.message, ...(this.details === undefined ? {} : { details: this.details }) }
  }
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorCodes, code)
}

/** Any thrown value as an SdkError: an abort becomes CANCELLED or TIMEOUT, anything else that is not ours `fallback`. */
export function toSdkError(error: unknown, fallback: ErrorCode = 'INTERNAL'): SdkError {
  if (error instanceof SdkError) return error
  if (error instanceof Error) {
    if (error.name === 'TimeoutError') return new SdkError('TIMEOUT', undefined, { cause: error })
    if (error.name === 'AbortError') return new SdkError('CANCELLED', undefined, { cause: error })
    return new SdkError(fallback, error.message, { cause: error })
  }
  return new SdkError(fallback, String(error))
}

export function errorInfo(error: unknown, fallback: ErrorCode = 'INTERNAL'): ErrorInfo {
  return toSdkError(error, fallback).toJSON()
}
