import type { Network } from '#model'
import { type ModelName, modelNameOf } from '../hardware/whatsminer.js'
import { type Fields, str } from '../kit/json.js'
import { macOf } from '../kit/values.js'
import { defined } from './whatsminer-values.js'

export { macOf } from '../kit/values.js'

const ipv4 = /^\d{1,3}(\.\d{1,3}){3}$/

function address(value: unknown): string | undefined {
  const text = str(value)
  return text !== undefined && ipv4.test(text) ? text : undefined
}

export function networkOf(info: Fields): Network | undefined {
  const proto = str(info.proto)?.toLowerCase()
  const dns = str(info.dns)
    ?.split(/[\s,]+/)
    .filter((each) => ipv4.test(each))
  const network: Network = defined({
    dhcp: proto === 'dhcp' ? true : proto === 'static' ? false : undefined,
    ip: address(info.ip),
    netmask: address(info.netmask),
    gateway: address(info.gateway),
    dns: dns && dns.length > 0 ? dns : undefined,
  })
  return Object.keys(network).length > 0 ? network : undefined
}

/** `auto`: the firmware shows its own state; anything else is a pattern that somebody set. */
export function ledOf(state: unknown): 'off' | 'blink' | undefined {
  const text = str(state)?.toLowerCase()
  return text === undefined ? undefined : text === 'auto' ? 'off' : 'blink'
}

/** Versions come in quotes inside quotes, or with the product before them. */
export function versionText(value: unknown): string | undefined {
  return str(str(value)?.replace(/^whatsminer\s+v?|['"]/gi, ''))
}

/** What a device says of itself, once every ten minutes: in our form at once, so that the polls between only copy it. */
export interface About {
  readonly name?: ModelName
  readonly firmware?: string
  readonly api?: string
  readonly platform?: string
  readonly mac?: string
  readonly hostname?: string
  readonly serial?: string
  readonly led?: 'off' | 'blink'
  readonly network?: Network
}

/** `devdetails` has one row a board. */
export function aboutDetails(details: readonly Fields[]): About {
  const model = details.map((detail) => str(detail.Model)).find((name) => name !== undefined)
  return defined({ name: modelNameOf(model) })
}

/** `get_version`; the oldest firmwares answer with a text only. */
export function aboutVersion(version: Fields): About {
  return defined({
    name: modelNameOf(str(version.miner_type)),
    firmware: versionText(version.fw_ver),
    api: versionText(version.api_ver ?? version.text),
    platform: str(version.platform),
  })
}

export function aboutInfo(info: Fields): About {
  return defined({
    name: modelNameOf(str(info.model)),
    mac: macOf(info.mac),
    hostname: str(info.hostname),
    serial: str(info.minersn),
    led: ledOf(info.ledstat),
    network: networkOf(info),
  })
}
