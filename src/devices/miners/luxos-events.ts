import type { DeviceError } from '#model'
import { section } from '../kit/cgminer.js'
import { fields, num, rows, str } from '../kit/json.js'
import { topicOf } from '../kit/topics.js'
import { maxParts, words } from '../kit/values.js'

type Meaning = Pick<DeviceError, 'code' | 'component' | 'severity'> & {
  readonly cause?: string
  readonly action: string
}

/** Events whose code is known (protocols/luxos.md §4); all others are judged by their words. */
const meanings: Readonly<Record<string, Meaning>> = {
  NOPIC_PROTECTION: {
    code: 'nopic-protection',
    severity: 'high',
    component: 'board',
    cause: 'Boards without a controller of their own (PIC) are only safe while the firmware answers for their power.',
    action: 'Check that it mines again; look at power supply and boards if it comes back.',
  },
  REBOOT_NOT_HASHING: {
    code: 'board-not-hashing',
    severity: 'medium',
    component: 'board',
    cause: 'The board brought no hashrate, so the firmware started it again.',
    action: 'Watch the board; check its cables and its power, have it repaired if it comes back.',
  },
}

/** An event of longer ago by the clock of the miner is history: it is told, but nothing has to be done, ms. */
const recentMs = 900_000
const maxEvents = 20

/** Events stay in the list for days: those of the last quarter of an hour are findings, older ones information. */
export function parseEvents(reply: unknown): DeviceError[] {
  const status = fields(rows(fields(reply).STATUS)[0])
  const now = (num(status.When) ?? 0) * 1000
  return section(reply, 'EVENTS')
    .slice(-maxEvents)
    .map((event): DeviceError => {
      const code = words(event.Code, 64) ?? 'event'
      const description = words(event.Description) ?? code
      const at = Date.parse(str(event.CreatedAt) ?? '')
      const topic = topicOf(`${code.replace(/_/g, ' ')} ${description}`)
      const meaning: Meaning = Object.hasOwn(meanings, code) ? meanings[code]! : topic
      const board = num(event.ID)
      const isPlace = board !== undefined && Number.isInteger(board) && board >= 0 && board < maxParts
      const ofBoard = /board/i.test(str(event.Target) ?? '')
      const page = words(event.DocUrl)
      const isOld = Number.isFinite(at) && now > 0 && now - at > recentMs
      return {
        code: meaning.code,
        vendorCode: code,
        severity: isOld ? 'info' : meaning.severity,
        component: ofBoard && meaning.component === 'device' ? 'board' : meaning.component,
        ...(ofBoard && isPlace ? { index: board } : {}),
        message: `${ofBoard && isPlace ? `Board ${board}: ` : ''}${description}${isOld ? ` (${str(event.CreatedAt)})` : ''}`,
        ...(meaning.cause === undefined ? {} : { cause: meaning.cause }),
        action: page && /^https:\/\//.test(page) ? `${meaning.action} See ${page}` : meaning.action,
      }
    })
}
