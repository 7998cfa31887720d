import { gunzipSync } from 'node:zlib'
import type { Evidence, Probe } from '../define.js'
import { rpc, rpcPort, rpcVersion } from './cgminer.js'
import { type HttpResponse, http, webPort } from './http.js'
import { meetChallenge } from './http-digest.js'
import { isObject, rows } from './json.js'

/**
 * What tells the firmwares of one kind of hardware apart (protocols/cgminer.md §6): the page that a device shows and the name of its
 * mining process, each asked once for all definitions.
 */
export type Sign =
  | 'auradine'
  | 'avalon'
  | 'axeos'
  | 'bitmain'
  | 'braiins'
  | 'epic'
  | 'hiveon'
  | 'luxos'
  | 'marathon'
  | 'mskminer'
  | 'proto'
  | 'sealminer'
  | 'vnish'
  | 'whatsminer'

export interface Page {
  readonly status: number
  readonly realm: string | undefined
  readonly location: string | undefined
  readonly text: string
}

const bitmainRealm = /^antminer configuration$/i
const textLength = 4096
const maxPage = 256 * 1024

const pageSigns: readonly (readonly [RegExp, Sign])[] = [
  [/AnthillOS|vnish/i, 'vnish'],
  [/Braiins OS|bosminer/i, 'braiins'],
  [/Luxor Firmware|LuxOS/i, 'luxos'],
  [/MaraFW|kaonsu/i, 'marathon'],
  [/AxeOS|Nerd(Q|Octa|Hax)?Axe/i, 'axeos'],
  [/Miner Web Dashboard/i, 'epic'],
  [/ProtoOS|Proto Rig|Proto Miner/i, 'proto'],
  [/Hiveon/i, 'hiveon'],
  [/MSKMiner/i, 'mskminer'],
  [/SealMiner/i, 'sealminer'],
  [/Auradine|Teraflux/i, 'auradine'],
  [/WhatsMiner|btminer/i, 'whatsminer'],
]

const daemonSigns: readonly (readonly [RegExp, Sign])[] = [
  [/bosminer|boser/i, 'braiins'],
  [/luxminer/i, 'luxos'],
  [/vnish/i, 'vnish'],
  [/marafw|kaonsu/i, 'marathon'],
  [/hiveon/i, 'hiveon'],
  [/mskminer/i, 'mskminer'],
  [/btminer|whatsminer|bitmicro/i, 'whatsminer'],
  [/avalon|"HWTYPE":"\w*MM\d/i, 'avalon'],
  [/bdminer|sealminer/i, 'sealminer'],
  [/gcminer|fluxos|auradine/i, 'auradine'],
  [/antminer|bmminer/i, 'bitmain'],
]

/** Of firmwares whose `version` says nothing of themselves: they are told by their stats. */
export const rpcStats: Probe = {
  name: 'rpc stats',
  port: rpcPort,
  when(seen) {
    const sign = daemonSign(seen)
    return seen.answer(rpcVersion) !== undefined && (sign === undefined || sign === 'other')
  },
  run: (io) => rpc(io, { command: 'stats' }),
}

/** The first page, without a login and without following where it points. */
export const webPage: Probe = {
  name: 'web page',
  port: webPort,
  async run(io): Promise<Page> {
    const response = await http(io, webPort, { path: '/', maxBytes: maxPage })
    const { status, headers } = response
    return {
      status,
      realm: meetChallenge(io, webPort, response)?.realm,
      location: typeof headers.location === 'string' ? headers.location.slice(0, 200) : undefined,
      text: textOf(response),
    }
  },
}

/** Small controllers keep their pages compressed and send them so to everybody. */
function textOf({ headers, body }: HttpResponse): string {
  const isZipped = headers['content-encoding'] === 'gzip'
  try {
    const plain = isZipped ? gunzipSync(body, { maxOutputLength: maxPage }) : body
    return plain.subarray(0, textLength).toString('latin1')
  } catch {
    return ''
  }
}

export function pageOf(seen: Evidence): Page | undefined {
  return seen.answer(webPage) as Page | undefined
}

/** Whose page it is; `other` if it is nobody's that we know. */
export function pageSign(seen: Evidence): Sign | 'other' | undefined {
  const page = pageOf(seen)
  if (!page) return undefined
  return remembered(page, () => {
    const { realm = '', text } = page
    if (bitmainRealm.test(realm)) return 'bitmain'
    return pageSigns.find(([pattern]) => pattern.test(text) || pattern.test(realm))?.[1] ?? 'other'
  })
}

/** Whose mining process answers `version`; `other` if it is nobody's that we know, undefined if it does not say at all. */
export function daemonSign(seen: Evidence): Sign | 'other' | undefined {
  const reply = seen.answer(rpcVersion)
  if (!isObject(reply)) return undefined
  return remembered(reply, () => {
    const text = JSON.stringify(reply)
    const sign = daemonSigns.find(([pattern]) => pattern.test(text))?.[1]
    return sign ?? (Array.isArray(reply.VERSION) ? 'other' : undefined)
  })
}

/** Firmwares for foreign hardware that name themselves in the type that their stats give, `Antminer S21 (Vnish 1.2.7)`. */
const typeSigns: readonly (readonly [RegExp, Sign])[] = daemonSigns.filter(([, sign]) =>
  ['braiins', 'luxos', 'vnish', 'marathon', 'hiveon', 'mskminer'].includes(sign),
)

/** Whose stats answer, where somebody asked for them and they name a firmware. */
export function statsSign(seen: Evidence): Sign | undefined {
  const reply = seen.answer(rpcStats)
  if (!isObject(reply)) return undefined
  const sign = remembered(reply, () => {
    const types = JSON.stringify(rows(reply.STATS).map(({ Type }) => Type))
    return typeSigns.find(([pattern]) => pattern.test(types))?.[1]
  })
  return sign === 'other' ? undefined : sign
}

/** All that names somebody whom we know. */
function saidBy(seen: Evidence): Sign[] {
  return [pageSign(seen), daemonSign(seen), statsSign(seen)].filter(
    (sign): sign is Sign => sign !== undefined && sign !== 'other',
  )
}

/** Every candidate looks at the same answer. */
const signs = new WeakMap<object, Sign | 'other' | undefined>()

function remembered(answer: object, find: () => Sign | 'other' | undefined): Sign | 'other' | undefined {
  if (signs.has(answer)) return signs.get(answer)
  const sign = find()
  signs.set(answer, sign)
  return sign
}

/** Nothing seen so far speaks against it being one of these: worth a question of its own. */
export function mayBe(...wanted: readonly Sign[]): (seen: Evidence) => boolean {
  return (seen) => {
    return saidBy(seen).every((sign) => wanted.includes(sign))
  }
}

/** Page, mining process or its stats say that it is one of these, and none says another. */
export function isSaid(seen: Evidence, ...wanted: readonly Sign[]): boolean {
  const said = saidBy(seen)
  return said.length > 0 && said.every((sign) => wanted.includes(sign))
}
