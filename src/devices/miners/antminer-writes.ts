import { type CommandInput, SdkError, withDeadline } from '#model'
import type { Io } from '../io.js'
import { cgiPath, factoryLogin, throwIfRefused, type WebRequest, web, webPort } from '../kit/bitmain.js'
import { statusError } from '../kit/http.js'
import { digestHttp } from '../kit/http-digest.js'
import { multipartFile, verifiedSize } from '../kit/upload.js'
import { type Conf, type ConfChange, parseConf, writeConf } from './antminer-settings.js'

/** The web interface may take so long to take a configuration, ms (protocols/antminer.md §1.1). */
const writeMs = 30_000
/** More often a configuration must not be written, ms (§1.4). */
const writeEveryMs = 30_000
const uploadMs = 1_800_000

const lastWrite = 'antminer: last configuration written at'

/**
 * A write whose reply may get lost, because the device restarts over it: that is no failure, the read-back decides. What is refused
 * throws; what could not be sent at all, too.
 */
export function write(io: Io, request: WebRequest, ms = writeMs): Promise<void> {
  return unlessLost(io, ms, (signal) => web({ ...io, signal }, { ...request, as: 'text' }))
}

async function unlessLost(io: Io, ms: number, send: (signal: AbortSignal) => Promise<unknown>) {
  try {
    throwIfRefused(replyOf(await withDeadline(ms, io.signal, send, 'DEVICE_TIMEOUT')))
  } catch (error) {
    io.signal.throwIfAborted()
    if (!(error instanceof SdkError) || error.code !== 'DEVICE_TIMEOUT') throw error
  }
}

/** Some builds answer nothing or a page: only what is JSON can refuse. */
function replyOf(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    return undefined
  }
}

/**
 * Reads the whole configuration, changes it, writes it back whole. A configuration that could not be read whole is never written; one
 * that has the change already is left alone unless `always`.
 */
export async function change(io: Io, changeOf: (conf: Conf) => ConfChange, always = false) {
  const last = io.memory.get(lastWrite)
  const wait = typeof last === 'number' ? last + writeEveryMs - io.clock.now() : 0
  if (wait > 0 && wait <= writeEveryMs)
    throw new SdkError('DEVICE_BUSY', `it still takes its last configuration; try again in ${Math.ceil(wait / 1000)} s`)
  const conf = parseConf(await web(io, { cgi: 'get_miner_conf' }))
  const wanted = changeOf(conf)
  if (!always && isSame(conf, wanted)) return
  await write(io, { cgi: 'set_miner_conf', json: writeConf(conf, wanted) })
  io.memory.set(lastWrite, io.clock.now())
}

function isSame(conf: Conf, wanted: ConfChange): boolean {
  return conf.mode !== undefined && JSON.stringify(writeConf(conf, {})) === JSON.stringify(writeConf(conf, wanted))
}

/** Sends a firmware file, once and whole. Refuses a file that is not the one that was meant before anything is sent. */
export async function upload(io: Io, file: CommandInput<'updateFirmware'>) {
  const size = await verifiedSize(file)
  // Signs in first: the file is sent once, not again after a refused first try.
  await web(io, { cgi: 'get_system_info' })
  const path = cgiPath('upgrade')
  await unlessLost(io, uploadMs, async (signal) => {
    const request = { method: 'POST', path, ...multipartFile({ name: 'firmware', path: file.path, size }) } as const
    const response = await digestHttp({ ...io, signal }, webPort, request, factoryLogin)
    const error = statusError(response, path)
    if (error) throw error
    return response.body
  })
}
