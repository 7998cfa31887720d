import { type ErrorCode, type SdkError, toSdkError } from '#model'
import type { Io, Reply } from '../io.js'

/**
 * One request after the other. Once the visit is over, or an error of the codes in `gone` says that there is nobody to ask, the others are
 * not asked: they get the same error. What is thrown without a code of ours gets `otherwise`.
 */
export async function inTurn<Request>(
  io: Io,
  requests: readonly Request[],
  ask: (request: Request) => Promise<unknown>,
  { gone, otherwise }: { gone: readonly ErrorCode[]; otherwise: ErrorCode },
): Promise<Reply[]> {
  const replies: Reply[] = []
  let closed: SdkError | undefined
  for (const request of requests) {
    if (closed) {
      replies.push({ error: closed })
      continue
    }
    try {
      replies.push({ value: await ask(request) })
    } catch (thrown) {
      const error = toSdkError(thrown, otherwise)
      if (io.signal.aborted || gone.includes(error.code)) closed = error
      replies.push({ error })
    }
  }
  return replies
}
