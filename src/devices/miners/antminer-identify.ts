import type { Identify, Match, Probe } from '../define.js'
import { antminerTitle } from '../hardware/antminer.js'
import { cgiPath, factoryLogin, jsonOf, webPort } from '../kit/bitmain.js'
import { rpcVersion } from '../kit/cgminer.js'
import { parseChallenge } from '../kit/digest.js'
import { http } from '../kit/http.js'
import { digestHttp } from '../kit/http-digest.js'
import { fields, rows, str } from '../kit/json.js'
import { parseInfo } from './antminer-settings.js'

interface Web {
  readonly status: number
  readonly realm: string | undefined
  /** Of its page, if it shows one without a login. */
  readonly page: string
  /** Of `get_system_info`, if it let us in. */
  readonly info?: unknown
  readonly refused?: string
}

const ourRealm = /^antminer configuration$/i
const pageLength = 2000

/** Knocks without a login; only where the realm is Bitmain's own, it signs in and asks who it is. */
export const bitmainPage: Probe = {
  name: 'bitmain web',
  port: webPort,
  async run(io): Promise<Web> {
    const path = cgiPath('get_system_info')
    const { status, headers, body } = await http(io, webPort, { path })
    const realm = parseChallenge(headers['www-authenticate'])?.realm
    const seen = { status, realm, page: body.subarray(0, pageLength).toString('latin1') }
    if (status !== 401 || !realm || !ourRealm.test(realm)) return seen
    try {
      return { ...seen, info: jsonOf(await digestHttp(io, webPort, { path }, factoryLogin)) }
    } catch (error) {
      return { ...seen, refused: error instanceof Error ? error.message : String(error) }
    }
  },
}

/** Firmwares for the same hardware and other brands on the same port; whoever names himself so is not stock. */
const others = /bos(miner|er)|braiins|lux(miner|or)|vnish|anthill|hiveon|msk|btminer|whatsminer|avalon|cgminer 4\./i

export const antminerIdentify: Identify = {
  probes: [bitmainPage, rpcVersion],
  match(seen) {
    const web = seen.answer(bitmainPage) as Web | undefined
    const reply = seen.answer(rpcVersion)
    const version = rows(fields(reply).VERSION)[0] ?? {}
    const words = `${JSON.stringify(reply ?? '')} ${web?.page ?? ''}`
    if (others.test(words)) return undefined
    const hasRealm = web?.realm !== undefined && ourRealm.test(web.realm)
    const info = infoOf(web)
    const isBmminer = version.BMMiner !== undefined && /antminer|^bhb/i.test(str(version.Type) ?? '')
    const model = antminerTitle(str(version.Type)) ?? antminerTitle(info?.type)

    // Something else sits on the web port of a bmminer: a proxy or a firmware that we do not know.
    if (!hasRealm && web !== undefined) return undefined
    const confidence = info?.type ? 1 : hasRealm && isBmminer ? 0.95 : isBmminer ? 0.8 : hasRealm ? 0.6 : 0
    if (confidence === 0) return undefined
    const why = [
      ...(hasRealm ? [`its web page asks for a login to "${web?.realm}"`] : []),
      ...(info?.type ? [`it calls itself ${info.type}`] : []),
      ...(isBmminer ? [`its RPC is bmminer on ${str(version.Type)}`] : []),
      ...(web?.refused ? [`signing in: ${web.refused}`] : []),
    ]
    const match: Match = {
      confidence,
      model,
      firmware: info?.firmware ?? str(version.CompileTime),
      mac: info?.mac,
      why,
    }
    return match
  },
}

function infoOf(web: Web | undefined) {
  try {
    return web?.info === undefined ? undefined : parseInfo(web.info)
  } catch {
    return undefined
  }
}
