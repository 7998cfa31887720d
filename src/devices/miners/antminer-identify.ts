import type { Identify, Match, Probe } from '../define.js'
import { antminerTitle } from '../hardware/antminer.js'
import { cgiPath, factoryLogin, jsonOf } from '../kit/bitmain.js'
import { rpcVersion } from '../kit/cgminer.js'
import { webPort } from '../kit/http.js'
import { digestHttp } from '../kit/http-digest.js'
import { fields, rows, str } from '../kit/json.js'
import { daemonSign, pageOf, pageSign, statsSign, webPage } from '../kit/signs.js'
import { parseInfo } from './antminer-settings.js'

interface Web {
  /** Of `get_system_info`, if it let us in. */
  readonly info?: unknown
  readonly refused?: string
}

/** Only where the login is Bitmain's own it signs in and asks who it is. */
export const bitmainInfo: Probe = {
  name: 'bitmain system information',
  port: webPort,
  when: (seen) => pageSign(seen) === 'bitmain',
  async run(io): Promise<Web> {
    try {
      return { info: jsonOf(await digestHttp(io, webPort, { path: cgiPath('get_system_info') }, factoryLogin)) }
    } catch (error) {
      return { refused: error instanceof Error ? error.message : String(error) }
    }
  },
}

export const antminerIdentify: Identify = {
  probes: [webPage, bitmainInfo, rpcVersion],
  match(seen) {
    const web = seen.answer(bitmainInfo) as Web | undefined
    const version = rows(fields(seen.answer(rpcVersion)).VERSION)[0] ?? {}
    const page = pageSign(seen)
    const daemon = daemonSign(seen)
    // Other firmwares for the same hardware name themselves; something else on the web port is a proxy or a firmware that we do not know.
    if ((page !== undefined && page !== 'bitmain') || (daemon !== undefined && daemon !== 'bitmain')) return undefined
    if (statsSign(seen) !== undefined) return undefined
    const hasRealm = page === 'bitmain'
    const info = infoOf(web)
    const isBmminer = version.BMMiner !== undefined && /antminer|^bhb/i.test(str(version.Type) ?? '')
    const model = antminerTitle(str(version.Type)) ?? antminerTitle(info?.type)
    const confidence = info?.type ? 1 : hasRealm && isBmminer ? 0.95 : isBmminer ? 0.8 : hasRealm ? 0.6 : 0
    if (confidence === 0) return undefined
    const why = [
      ...(hasRealm ? [`its web page asks for a login to "${pageOf(seen)?.realm}"`] : []),
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
