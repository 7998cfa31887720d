import { type ErrorCode, SdkError } from '#model'
import { type Fields, fields, isObject, num, rows, str } from './json.js'

/** The list that a cgminer-style answer has under the upper-case name of its section (protocols/whatsminer.md §1.2). */
const sections: Readonly<Record<string, string>> = {
  summary: 'SUMMARY',
  edevs: 'DEVS',
  devs: 'DEVS',
  pools: 'POOLS',
  devdetails: 'DEVDETAILS',
}

/** What an answer without usable data says by its code. */
const refusals: Readonly<Record<number, readonly [code: ErrorCode, says: string]>> = {
  14: ['DEVICE_UNSUPPORTED', 'it does not know this command'],
  23: ['DEVICE_REFUSED', 'it cannot read the request'],
  45: ['DEVICE_WRITE_DISABLED', 'it permits no writing'],
  132: ['DEVICE_REFUSED', 'it refuses the command'],
  135: ['DEVICE_AUTH', 'it does not accept the token'],
  136: ['DEVICE_BUSY', 'it has given out all its tokens or connections'],
  137: ['DEVICE_REFUSED', 'it cannot decode the request'],
}

/** Texts that say more than the code beside them. */
const texts: readonly (readonly [text: RegExp, code: ErrorCode, says: string])[] = [
  [
    /can.?t access write cmd/i,
    'DEVICE_WRITE_DISABLED',
    'writing is switched off, or the default password is still set',
  ],
  [/enc json load err/i, 'DEVICE_AUTH', 'it cannot decrypt the command: wrong password'],
  [/over max connect/i, 'DEVICE_BUSY', 'it takes no more connections'],
]

/** Some firmwares write no pools or no boards as an error. */
const emptyPools = 8
const messageLength = 160

interface Status {
  readonly letter: string | undefined
  readonly code: number | undefined
  readonly message: unknown
}

function statusOf(envelope: Fields): Status {
  const { STATUS } = envelope
  const first = Array.isArray(STATUS) ? STATUS[0] : STATUS
  if (isObject(first)) return { letter: str(first.STATUS), code: num(first.Code), message: first.Msg }
  return { letter: str(first), code: num(envelope.Code), message: envelope.Msg }
}

/**
 * The payload of an answer in any of the three envelopes: rows for the cgminer-style reads, else `Msg`. Usable data under STATUS S or I wins
 * over an odd Code. Throws the error that status, code and text mean; its details hold the vendor's code and message.
 */
export function payloadOf(reply: unknown, cmd: string): unknown {
  const envelope = fields(reply)
  const { letter, code, message } = statusOf(envelope)
  const section = sections[cmd]
  const list = section === undefined ? undefined : envelope[section]
  const failed = letter === 'E' || letter === 'F'
  if (!failed) {
    if (list !== undefined) return rows(Array.isArray(list) ? list : [list])
    if (isObject(envelope.Msg) || Array.isArray(envelope.Msg))
      return section ? compatRows(envelope.Msg, section) : envelope.Msg
  }
  if (section === 'POOLS' && code === emptyPools) return []
  const refusal = refusalOf(code, message)
  if (refusal) throw refused(cmd, refusal, code, message)
  if (failed) throw refused(cmd, ['DEVICE_REFUSED', 'it refuses'], code, message)
  if (letter === undefined || section !== undefined)
    throw new SdkError('DEVICE_BAD_REPLY', `the reply to ${cmd} has none of the known forms`)
  return envelope.Msg
}

/** Firmware of API 3 puts the rows, or the one row, straight into `Msg`. */
function compatRows(message: unknown, section: string): Fields[] {
  if (Array.isArray(message)) return rows(message)
  const inner = fields(message)[section]
  return inner === undefined ? rows([message]) : rows(Array.isArray(inner) ? inner : [inner])
}

function refusalOf(code: number | undefined, message: unknown): readonly [ErrorCode, string] | undefined {
  const text = typeof message === 'string' ? message : ''
  const said = texts.find(([pattern]) => pattern.test(text))
  return said ? [said[1], said[2]] : code === undefined ? undefined : refusals[code]
}

function refused(
  cmd: string,
  [code, says]: readonly [ErrorCode, string],
  vendorCode: number | undefined,
  message: unknown,
): SdkError {
  const vendorMessage = typeof message === 'string' ? message.slice(0, messageLength) : undefined
  return new SdkError(code, `${cmd}: ${says}${vendorMessage ? ` ("${vendorMessage}")` : ''}`, {
    details: { vendorCode, vendorMessage },
  })
}

/** The vendor's code in an error of ours. */
export function vendorCodeOf(error: unknown): number | undefined {
  return error instanceof SdkError ? num(fields(error.details).vendorCode) : undefined
}

/** The one row of `summary`. */
export function summaryOf(reply: unknown): Fields {
  const [summary] = payloadOf(reply, 'summary') as Fields[]
  if (!summary || Object.keys(summary).length === 0) throw new SdkError('DEVICE_BAD_REPLY', 'the summary is empty')
  return summary
}

export function rowsOf(cmd: 'edevs' | 'pools' | 'devdetails'): (reply: unknown) => Fields[] {
  return (reply) => payloadOf(reply, cmd) as Fields[]
}

/** The fields of a `get_*` or `status` answer. */
export function messageOf(cmd: string): (reply: unknown) => Fields {
  return (reply) => {
    const message = payloadOf(reply, cmd)
    return isObject(message) ? message : { text: message }
  }
}
