import { DigestGate } from '../digest.js'
import { type HttpCall, type HttpReply, httpDoor } from '../http.js'
import { type Fields, parseObject } from '../json.js'
import type { Door } from '../server.js'
import { chart, config, log, networkInfo, pools, stats, summary, systemInfo } from './replies.js'
import { type AntminerState, isTrue } from './state.js'

type Page = (state: AntminerState, call: HttpCall) => HttpReply | undefined

const json =
  (value: (state: AntminerState) => unknown): Page =>
  (state) => ({ json: value(state) })
const result = (ok: boolean, code: string, msg: string): HttpReply => ({
  json: { stats: ok ? 'success' : 'error', code, msg },
})

/** A write: POST with a JSON object, unless the fault `refusedWrite` stands against it. */
function write(refused: string, run: (state: AntminerState, body: Fields) => HttpReply): Page {
  return (state, { method, body }) => {
    const fields = method === 'POST' ? parseObject(body.toString('utf8')) : undefined
    if (!fields || state.machine.has('refusedWrite')) return result(false, refused, 'refused')
    return run(state, fields)
  }
}

const setConfig = write('M001', (state, body) => {
  const problem = state.configure(body)
  return problem === undefined ? result(true, 'M000', 'OK!') : result(false, 'M001', problem)
})

const setNetwork = write('N001', (state, body) => {
  return state.setNetwork(body) ? result(true, 'N000', 'OK!') : result(false, 'N001', 'Invalid network!')
})

const setPassword = write('P001', (state, { curPwd, newPwd, confirmPwd }) => {
  if (curPwd !== state.password) return result(false, 'P001', 'Wrong password!')
  if (typeof newPwd !== 'string' || newPwd === '' || newPwd !== confirmPwd)
    return result(false, 'P002', 'Passwords differ!')
  state.password = newPwd
  return result(true, 'P000', 'OK!')
})

const blink = write('B001', (state, body) => {
  state.blink = isTrue(body.blink)
  return { json: { code: state.blink ? 'B000' : 'B100' } }
})

const reset: Page = (state) =>
  state.machine.has('refusedWrite')
    ? result(false, 'M001', 'refused')
    : { cut: true, after: () => state.factoryReset() }

const reboot: Page = (state) =>
  state.machine.has('refusedWrite')
    ? result(false, 'M001', 'refused')
    : { cut: true, after: () => state.machine.reboot() }

const upgrade: Page = (state, { method, headers, body }) => {
  if (method !== 'POST' || state.machine.has('refusedWrite')) return result(false, 'U001', 'refused')
  const image = uploaded(headers['content-type'] ?? '', body)
  if (!image) return result(false, 'U001', 'Cannot find the firmware file!')
  if (!isImage(image)) return result(false, 'U001', 'Cannot find signature!')
  return { ...result(true, 'U000', 'OK!'), after: () => state.update(image) }
}

/** A BMU bundle (magic 0xABABABAB) or a gzip archive, as older builds take it. */
function isImage(image: Buffer): boolean {
  return image.length > 4 && (image.readUInt32LE(0) === 0xabababab || image.readUInt16BE(0) === 0x1f8b)
}

/** The file of a multipart body, in a field `firmware` or `file`; undefined if it is not whole. */
function uploaded(type: string, body: Buffer): Buffer | undefined {
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(type)?.[1]
  if (!boundary) return undefined
  const headEnd = body.indexOf('\r\n\r\n')
  const end = body.lastIndexOf(`\r\n--${boundary}--`)
  const head = body.subarray(0, Math.max(0, headEnd)).toString('latin1')
  if (headEnd < 0 || end < headEnd || !head.startsWith(`--${boundary}`) || !/name="(firmware|file)"/i.test(head))
    return undefined
  return body.subarray(headEnd + 4, end)
}

/** The pages of /cgi-bin/<name>.cgi; what answers undefined does not exist on this build. */
const pages: Readonly<Record<string, Page>> = {
  get_system_info: json(systemInfo),
  get_network_info: json(networkInfo),
  miner_type: (state) => {
    const { subtype } = state.row
    return subtype ? { json: { miner_type: state.type, subtype, fw_version: state.firmware } } : undefined
  },
  summary: json(summary),
  stats: json(stats),
  pools: json(pools),
  chart: json(chart),
  get_miner_conf: json(config),
  get_blink_status: json((state) => ({ blink: state.blink })),
  log: (state) => (state.row.config === 'full' ? undefined : { text: log(state) }),
  get_kernel_log: (state) => (state.row.config === 'full' ? { text: log(state) } : undefined),
  set_miner_conf: setConfig,
  set_network_conf: setNetwork,
  passwd: setPassword,
  blink,
  reboot,
  reset_conf: reset,
  upgrade,
}

const unauthorized =
  '<html><head><title>401 - Unauthorized</title></head><body><h1>401 - Unauthorized</h1></body></html>'

const realm = 'antMiner Configuration'

/** The web interface on 80: every path wants a digest login. */
export function webDoor(state: AntminerState): Door {
  const gate = new DigestGate(state.machine.clock, realm)
  return httpDoor(state.machine, {
    server: 'lighttpd/1.4.32',
    answer(call) {
      const { method, url, headers } = call
      const login = gate.check(headers.authorization, method, url, state.username, state.password)
      if (login !== 'right') {
        const challenge = { 'www-authenticate': gate.challenge(login === 'stale') }
        return { status: 401, text: unauthorized, headers: challenge }
      }
      const name = /^\/cgi-bin\/(\w+)\.cgi$/.exec(call.path)?.[1] ?? ''
      const page = Object.hasOwn(pages, name) ? pages[name] : undefined
      return page?.(state, call) ?? { status: 404, text: 'Not Found' }
    },
  })
}
