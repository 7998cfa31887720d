import { SdkError } from '#model'
import type { Command, Commands } from '../define.js'
import type { Io } from '../io.js'
import { type Fields, fields, rows, str } from '../kit/json.js'
import { checkRange } from '../kit/limits.js'
import { maraCall, maraWrite } from '../kit/marathon.js'
import { addressOf, hasPoolsByAddress, settleMs, shown } from '../kit/shown.js'
import { parseConfig, selectorOf, sleepMode, stockMode } from './marathon-replies.js'

/** What MaraFW can be told (protocols/other-firmwares.md); what is not known stands in the notes of the definition. */

async function config(io: Io): Promise<Fields> {
  return parseConfig(await maraCall(io, { path: 'miner_config' }))
}

/** It takes only the whole configuration: what is there is read, changed in one place and written back. */
async function setMode(io: Io, mode: Fields, now?: Fields): Promise<void> {
  const present = now ?? (await config(io))
  await maraWrite(io, 'miner_config', { ...present, mode: { ...fields(present.mode), ...mode } })
}

const selector = (name: string): Fields => ({ 'work-mode-selector': name })

/** Which mode it had before it was told to sleep: it does not keep it by itself. */
const beforeKey = 'marathon mode before sleep'

async function suspend(io: Io): Promise<void> {
  const now = await config(io)
  const mode = selectorOf(now)
  if (mode !== undefined && mode !== sleepMode) io.memory.set(beforeKey, mode)
  await setMode(io, selector(sleepMode), now)
}

const maxHistory = 4 * 1024 * 1024

/** The last mode in its history that is no sleep; the form of the history is not known, only that it holds configurations. */
async function modeInHistory(io: Io): Promise<string | undefined> {
  try {
    const path = 'log?type=miner_config_history'
    const text = String(await maraCall(io, { path, as: 'text', maxBytes: maxHistory }))
    const modes = [...text.matchAll(/work-mode-selector\\?"\s*:\s*\\?"(Stock|Auto|Fixed|Sleep)\\?"/g)].map(
      (match) => match[1]!,
    )
    return modes.reverse().find((mode) => mode !== sleepMode)
  } catch (error) {
    io.signal.throwIfAborted()
    if (error instanceof SdkError && ['DEVICE_UNSUPPORTED', 'DEVICE_REFUSED', 'DEVICE_BAD_REPLY'].includes(error.code))
      return undefined
    throw error
  }
}

async function resume(io: Io): Promise<unknown> {
  const now = await config(io)
  if (selectorOf(now) !== sleepMode) return undefined
  const known = (io.memory.get(beforeKey) as string | undefined) ?? (await modeInHistory(io))
  await setMode(io, selector(known ?? stockMode), now)
  io.memory.delete(beforeKey)
  return known === undefined
    ? { note: `its mode before the sleep could not be found: it was set to ${stockMode}` }
    : undefined
}

const setPowerMode: Command<'setPowerMode'> = {
  check({ mode }) {
    if (mode === 'low' || mode === 'high')
      throw new SdkError(
        'DEVICE_UNSUPPORTED',
        `this firmware has no mode ${mode}; set a power limit or a hashrate target`,
      )
  },
  run: ({ mode }, { io }) => (mode === 'sleep' ? suspend(io) : setMode(io, selector(stockMode))),
  ...shown.setPowerMode,
}

async function setTarget(io: Io, target: Fields) {
  const now = await config(io)
  const concorde = { ...fields(fields(now.mode).concorde), ...target }
  await setMode(io, { ...selector('Auto'), concorde }, now)
}

const setPowerLimit: Command<'setPowerLimit'> = {
  check({ watts }, { maxPowerW }) {
    if (watts < 1) throw new SdkError('BAD_REQUEST', 'the power limit must be at least 1 W')
    checkRange('power limit', watts, 'W', maxPowerW === undefined ? undefined : [1, maxPowerW])
  },
  run: ({ watts }, { io }) => setTarget(io, { 'mode-select': 'PowerTarget', 'power-target': watts }),
  settled: (now, { watts }) => now.tuning?.targetW === watts,
  settleMs: settleMs.restart,
}

const setHashrateTarget: Command<'setHashrateTarget'> = {
  run: ({ ths }, { io }) => setTarget(io, { 'mode-select': 'Hashrate', 'hash-target': ths }),
  settled: (now, { ths }) => now.tuning?.targetThs === ths,
  settleMs: settleMs.restart,
}

/** The entries keep the form that they have, and their number: an unused one is written empty. */
const setPools: Command<'setPools'> = {
  async run({ pools }, { io }) {
    const now = await config(io)
    if (!Array.isArray(now.pools))
      throw new SdkError('DEVICE_BAD_REPLY', 'its configuration holds no pools; nothing was set')
    const present = rows(now.pools)
    const key = present.some((pool) => 'password' in pool) ? 'password' : 'pass'
    const twin = (url: string, user: string) =>
      present.find((pool) => addressOf(str(pool.url) ?? '') === addressOf(url) && str(pool.user) === user)
    const list: object[] = pools.map(({ url, user, password }) => {
      const known = twin(url, user)
      return { ...known, url, user, [key]: password ?? known?.[key] ?? 'x' }
    })
    while (list.length < present.length) list.push({ url: '', user: '', [key]: '' })
    await maraWrite(io, 'miner_config', { ...now, pools: list })
  },
  settled: hasPoolsByAddress,
  settleMs: settleMs.restart,
}

/** It goes away over it: a lost answer is no failure, the read-back decides. */
async function maintenance(io: Io, type: 'reboot' | 'reload') {
  try {
    await maraWrite(io, 'maintenance', { type })
  } catch (error) {
    io.signal.throwIfAborted()
    if (!(error instanceof SdkError) || error.code !== 'DEVICE_TIMEOUT') throw error
  }
}

export const marathonCommands: Commands = {
  reboot: { run: (_, { io }) => maintenance(io, 'reboot'), ...shown.reboot },
  restartMiner: { run: (_, { io }) => maintenance(io, 'reload'), ...shown.restartMiner },
  suspend: { run: (_, { io }) => suspend(io), ...shown.suspend },
  resume: { run: (_, { io }) => resume(io), ...shown.resume },
  setPowerMode,
  setPowerLimit,
  setHashrateTarget,
  setPools,
  setLed: { run: ({ on }, { io }) => maraWrite(io, 'locate_miner', { blinking: on }), ...shown.setLed },
}
