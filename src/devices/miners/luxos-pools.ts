import { type Pool, SdkError, sleep } from '#model'
import type { Command } from '../define.js'
import type { Io } from '../io.js'
import { luxAsk } from '../kit/luxos.js'
import { inSession, isStale, luxWrite } from '../kit/luxos-session.js'
import { addressOf, shown } from '../kit/shown.js'
import { parseGroups } from './luxos-config.js'
import { parseLuxPools } from './luxos-replies.js'

type Wanted = { readonly url: string; readonly user: string; readonly password?: string }
type Placed = Pool & { readonly index: number }

/** The reference says that pools need no session, other clients give one: it is used where the miner asks for it. */
async function write(io: Io, command: string, ...parameters: readonly (string | number)[]) {
  try {
    await luxWrite(io, command, parameters)
  } catch (error) {
    if (!isStale(error)) throw error
    await inSession(io, (send) => send(command, ...parameters))
  }
}

const poolsNow = async (io: Io): Promise<Placed[]> => parseLuxPools(await luxAsk(io, { command: 'pools' }))
const same = (a: { url: string }, b: { url: string }) => addressOf(a.url) === addressOf(b.url)
const add = (io: Io, { url, user, password }: Wanted) => write(io, 'addpool', url, user, password ?? 'x')

/** Takes out these pools; the last numbers first, for those behind one move up. */
async function remove(io: Io, pools: readonly Placed[]) {
  for (const { index } of [...pools].sort((a, b) => b.index - a.index)) await write(io, 'removepool', index)
}

const isRefused = (error: unknown): error is SdkError => error instanceof SdkError && error.code === 'DEVICE_REFUSED'

/** The miner refuses to give up the pool in use before there is another: that one stays until `removeOnceUnused`. */
const tryToRemove = (io: Io, pools: readonly Placed[]) =>
  remove(io, pools).catch((error: unknown) => {
    if (!isRefused(error)) throw error
  })

/** How often and how long a new pool is waited for before the old one goes, ms. */
const connectTries = 4
const connectMs = 3000

/** A pool is in use until the new one has connected. */
async function removeOnceUnused(io: Io, wanted: readonly Wanted[]) {
  for (let tries = 1; ; tries++) {
    const old = (await poolsNow(io)).filter((pool) => !wanted.some((each) => same(each, pool)))
    try {
      return await remove(io, old)
    } catch (error) {
      if (!isRefused(error)) throw error
      if (tries === connectTries)
        throw new SdkError(
          'DEVICE_REFUSED',
          `${error.message}: the new pools were added, the old one is still in use, for the first new one does not answer; check its address`,
        )
      await sleep(io.clock, connectMs, io.signal)
    }
  }
}

/** All groups but the first, with their pools: the list of an operator is one. */
async function removeGroups(io: Io): Promise<void> {
  const groups = parseGroups(await luxAsk(io, { command: 'groups' }))
  const others = groups.map(({ id }) => id).filter((id) => id > 0)
  for (const id of others.sort((a, b) => b - a)) await write(io, 'removegroup', id)
}

/**
 * The new list takes the place of the old one while an old pool goes on giving work: that one leaves last. Where all old addresses are
 * among the new ones (an address is taken only once), there is no such pool, and the miner has none for some seconds.
 */
async function replacePools(io: Io, wanted: readonly Wanted[]) {
  await removeGroups(io)
  const old = await poolsNow(io)
  const isKept = old.length === wanted.length && old.every((pool, at) => isEqual(pool, wanted[at]!))
  if (isKept) return
  const anchor = [...old]
    .sort((a, b) => Number(b.alive === true) - Number(a.alive === true))
    .find((pool) => !wanted.some((each) => same(each, pool)))
  const others = (pools: readonly Placed[]) => pools.filter((pool) => !anchor || !same(pool, anchor))
  if (anchor && old.length > 1) {
    await write(io, 'switchpool', anchor.index)
    // A switch may give them other numbers.
    await tryToRemove(io, others(await poolsNow(io)))
  } else await tryToRemove(io, others(old))
  for (const pool of wanted) await add(io, pool)
  if (!anchor) return
  const first = (await poolsNow(io)).find((pool) => same(pool, wanted[0]!))
  if (!first) throw new SdkError('DEVICE_REFUSED', 'the miner does not list the pool that it took; the old ones stay')
  await write(io, 'switchpool', first.index)
  await removeOnceUnused(io, wanted)
}

/** A password can neither be read nor compared: where one is given, the pool is written anew. */
function isEqual(pool: Placed, { url, user, password }: Wanted): boolean {
  return pool.url === url && pool.user === user && password === undefined
}

export const setPools: Command<'setPools'> = {
  check({ pools }) {
    if (pools.some((pool) => Object.values(pool).some((text) => text.includes(','))))
      throw new SdkError('BAD_REQUEST', 'this firmware takes no comma in the address, account or password of a pool')
    if (pools.some((pool, at) => pools.findIndex((other) => same(other, pool)) !== at))
      throw new SdkError('BAD_REQUEST', 'this firmware takes each pool address only once')
  },
  run: ({ pools }, { io }) => replacePools(io, pools),
  ...shown.setPools,
}
