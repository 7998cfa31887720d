import { type ErrorCode, errorCodes, toSdkError } from '#model'

/** Exit codes (the same for every command). */
export const exit = {
  ok: 0,
  failed: 1,
  usage: 2,
  someFailed: 3,
  unreachable: 4,
  notPermitted: 5,
  timedOut: 124,
  interrupted: 130,
} as const

const byCode: Partial<Record<ErrorCode, number>> = {
  BAD_REQUEST: exit.usage,
  CONFIG_INVALID: exit.usage,
  UNAUTHENTICATED: exit.notPermitted,
  FORBIDDEN: exit.notPermitted,
  PASSPHRASE_WRONG: exit.notPermitted,
  UNAVAILABLE: exit.unreachable,
  DEVICE_UNREACHABLE: exit.unreachable,
  TIMEOUT: exit.timedOut,
  DEVICE_TIMEOUT: exit.timedOut,
  CANCELLED: exit.interrupted,
}

/** What went wrong in words for a person on stderr (or as JSON), and the exit code that scripts look at. */
export function report(error: unknown, json: boolean): number {
  const known = toSdkError(error)
  if (json) {
    process.stderr.write(`${JSON.stringify({ error: known })}\n`)
  } else {
    process.stderr.write(`miningsdk: ${known.message} [${known.code}]\n`)
    for (const { path, message } of problemsIn(known.details))
      process.stderr.write(`  ${path || '(whole)'}: ${message}\n`)
    process.stderr.write(`  ${errorCodes[known.code].action}\n`)
  }
  return byCode[known.code] ?? exit.failed
}

function problemsIn(details: unknown): { path: string; message: string }[] {
  const problems = (details as { problems?: unknown } | undefined)?.problems
  return Array.isArray(problems) ? problems : []
}
