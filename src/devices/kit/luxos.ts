import { SdkError, sleep, toSdkError } from '#model'
import type { Io, Protocol, Reply } from '../io.js'
import { acceptedReply, rpc, rpcPort } from './cgminer.js'
import { inTurn } from './in-turn.js'
import { fields, num, rows } from './json.js'
import { maxParts } from './values.js'

/** A question to LuxOS. `perBoard`: it is asked for each board, with its number, and answers a list of `BoardReply`. */
export interface LuxRequest {
  readonly command: string
  readonly perBoard?: boolean
}

export interface BoardReply {
  readonly board: number
  readonly reply: unknown
}

/** The API server takes one connection after another and refuses them when they come faster (protocols/luxos.md §1), ms. */
const gapMs = 1000
/** Builds that take no joined command are asked one by one, and had to wait longer than the time between two visits, ms. */
const singleGapMs = 250
/** A build that refuses joined commands is asked one by one for so long; one whose joined answers break off, for a shorter time, ms. */
const refusedJoinMs = 3_600_000
const brokenJoinMs = 600_000
/** So many broken answers in a row are no accident. */
const maxBroken = 2
/** Once it has refused a connection it is left in peace for so long, ms. */
const refusedMs = 30_000
/** What is asked board by board is asked this rarely, however often it is wanted, ms. */
const perBoardMs = 270_000

const nextKey = 'luxos next connection'
const refusedKey = 'luxos refused'
const singleKey = 'luxos single until'
const brokenKey = 'luxos broken joined replies'
const boardsKey = 'luxos boards'

/**
 * The RPC of LuxOS: all questions without parameters joined in one connection, then those for single boards, with the pause between two
 * connections that its server needs. A build that does not join is asked one by one. A part that is refused is an error of its own.
 */
export const luxos: Protocol<LuxRequest> = {
  name: 'luxos',
  port: rpcPort,
  async ask(io, requests) {
    const replies: Reply[] = requests.map(() => ({ error: new SdkError('NOT_REPORTED', 'it names no boards') }))
    const plain = requests.filter(({ perBoard }) => !perBoard)
    const answers = await askPlain(io, plain)
    for (const [at, request] of plain.entries()) replies[requests.indexOf(request)] = answers[at]!
    const boards = boardsOf(io, plain, answers)
    const isGone = answers.length > 0 && answers.every((answer) => 'error' in answer)
    const perBoard = requests.filter((request) => request.perBoard)
    const lists = isGone
      ? perBoard.map(() => answers[0]!)
      : await inTurn(io, perBoard, (request) => askBoards(io, request, boards), turnOptions)
    for (const [at, request] of perBoard.entries()) replies[requests.indexOf(request)] = lists[at]!
    return replies
  },
}

const turnOptions = { gone: ['DEVICE_UNREACHABLE', 'DEVICE_BUSY'], otherwise: 'DEVICE_UNREACHABLE' } as const

async function askPlain(io: Io, requests: readonly LuxRequest[]): Promise<Reply[]> {
  const joined = requests.length > 1 && !isSingle(io) ? await askJoined(io, requests) : undefined
  return joined ?? inTurn(io, requests, ({ command }) => luxAsk(io, { command }), turnOptions)
}

function isSingle(io: Io): boolean {
  return io.clock.now() < ((io.memory.get(singleKey) as number | undefined) ?? 0)
}

function askSinglyFor(io: Io, ms: number): undefined {
  io.memory.set(singleKey, io.clock.now() + ms)
  io.memory.delete(brokenKey)
}

/** Undefined where the build does not join commands. */
async function askJoined(io: Io, requests: readonly LuxRequest[]): Promise<Reply[] | undefined> {
  let reply: ReturnType<typeof fields>
  try {
    reply = fields(await luxAsk(io, { command: requests.map(({ command }) => command).join('+') }))
    io.memory.delete(brokenKey)
  } catch (thrown) {
    const error = toSdkError(thrown, 'DEVICE_UNREACHABLE')
    if (error.code === 'DEVICE_UNSUPPORTED' || error.code === 'DEVICE_REFUSED') return askSinglyFor(io, refusedJoinMs)
    // All in one may be more than it can say.
    const isBroken = error.code === 'DEVICE_BAD_REPLY' || /half an answer/.test(error.message)
    const broken = isBroken ? ((io.memory.get(brokenKey) as number | undefined) ?? 0) + 1 : 0
    io.memory.set(brokenKey, broken)
    if (broken >= maxBroken) askSinglyFor(io, brokenJoinMs)
    return requests.map(() => ({ error }))
  }
  if (!requests.some(({ command }) => Object.hasOwn(reply, command))) return askSinglyFor(io, refusedJoinMs)
  return requests.map(({ command }): Reply => {
    const part = Object.hasOwn(reply, command) ? reply[command] : undefined
    const value = Array.isArray(part) ? part[0] : part
    if (value === undefined) return { error: new SdkError('DEVICE_UNSUPPORTED', `it does not answer ${command}`) }
    try {
      return { value: acceptedReply(value) }
    } catch (error) {
      return { error: toSdkError(error, 'DEVICE_BAD_REPLY') }
    }
  })
}

/** The numbers of its boards, as `devs` told them last. */
function boardsOf(io: Io, requests: readonly LuxRequest[], answers: readonly Reply[]): readonly number[] {
  const answer = answers[requests.findIndex(({ command }) => command === 'devs')]
  if (!answer || 'error' in answer) return (io.memory.get(boardsKey) as number[] | undefined) ?? []
  const isPlace = (id: number | undefined) => id !== undefined && Number.isInteger(id) && id >= 0 && id < maxParts
  const boards = rows(fields(answer.value).DEVS)
    .map(({ ID }) => num(ID))
    .filter(isPlace) as number[]
  const distinct = [...new Set(boards)].sort((a, b) => a - b)
  io.memory.set(boardsKey, distinct)
  return distinct
}

/** One board that does not answer is left out; a command that there is not, and a connection that fails, end it. */
async function askBoards(io: Io, { command }: LuxRequest, boards: readonly number[]): Promise<BoardReply[]> {
  if (boards.length === 0) throw new SdkError('NOT_REPORTED', 'it names no boards')
  const found: BoardReply[] = []
  for (const board of boards) {
    const key = `luxos ${command} ${board}`
    const known = io.memory.get(key) as { readonly at: number; readonly reply: unknown } | undefined
    if (known && io.clock.now() - known.at < perBoardMs) {
      found.push({ board, reply: known.reply })
      continue
    }
    try {
      const reply = await luxAsk(io, { command, parameter: String(board) })
      io.memory.set(key, { at: io.clock.now(), reply })
      found.push({ board, reply })
    } catch (error) {
      if (!(error instanceof SdkError) || error.code !== 'DEVICE_REFUSED') throw error
    }
  }
  return found
}

/** The answer to a question of the kind `perBoard`. Throws DEVICE_BAD_REPLY for anything else. */
export function boardReplies(reply: unknown): BoardReply[] {
  if (!Array.isArray(reply)) throw new SdkError('DEVICE_BAD_REPLY', 'the reply is no list of boards')
  return rows(reply).flatMap(({ board, reply: each }) => (typeof board === 'number' ? [{ board, reply: each }] : []))
}

/** One question, one connection, in its turn. Errors as of `rpc`. */
export async function luxAsk(io: Io, request: { command: string; parameter?: string }): Promise<unknown> {
  return connected(io, () => rpc(io, { ...request, line: true }))
}

/** Waits for the turn of a connection; throws DEVICE_BUSY at once while the device is left in peace. */
export async function connected<T>(io: Io, talk: () => Promise<T>): Promise<T> {
  const refusedAt = io.memory.get(refusedKey) as number | undefined
  if (refusedAt !== undefined) {
    const leftMs = refusedAt + refusedMs - io.clock.now()
    if (leftMs > 0)
      throw new SdkError(
        'DEVICE_UNREACHABLE',
        `it refused a connection: it is left in peace for ${Math.ceil(leftMs / 1000)} s`,
      )
    io.memory.delete(refusedKey)
  }
  const now = io.clock.hr()
  const at = Math.max(now, (io.memory.get(nextKey) as number | undefined) ?? 0)
  io.memory.set(nextKey, at + (isSingle(io) ? singleGapMs : gapMs))
  if (at > now) await sleep(io.clock, at - now, io.signal)
  try {
    return await talk()
  } catch (error) {
    if (isRefusal(error)) io.memory.set(refusedKey, io.clock.now())
    throw error
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof SdkError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED'
}
